//! Images, and paths inside them.

use super::super::language::Language::{Apptainer, Docker, Shell, Yaml};
use super::{commands, images, settings, spans};

#[test]
fn words_after_the_image_are_inside_it() {
    let text = "docker run --rm -it -v $PWD:/code -w /code -e A=1 a/b:1 python /code/run.py";
    assert_eq!(images(Shell, text), ["a/b:1"]);
    let found = spans(Shell, text);
    for inside in ["Word Inside v /code", "Word Inside w /code", "Word Inside - /code/run.py"] {
        assert!(found.contains(&inside.into()), "{inside}: {found:?}");
    }
    let text = "srun singularity exec -B /ceph:/data,/work --nv docker://a/b:2 ls /data /eos/x";
    assert_eq!(images(Shell, text), ["docker://a/b:2"]);
    let found = spans(Shell, text);
    for other in [
        "Word Plain B /ceph",
        "Word Inside B /data",
        "Word Plain B /work",
        "Word Inside - /data",
        "Word Plain - /eos/x",
    ] {
        assert!(found.contains(&other.into()), "{other}: {found:?}");
    }
    assert_eq!(
        images(Shell, "docker pull a:1; apptainer pull x.sif docker://b:1; docker build -t c ."),
        ["a:1", "docker://b:1"]
    );
    assert_eq!(images(Shell, "shifter --image=a:1 ls; echo docker run x"), ["a:1"]);
}

#[test]
fn dockerfile_paths_are_inside_the_image() {
    let text = "# escape=\\\nARG TAG=3.11\nFROM python:${TAG}-slim AS base\nFROM base\nENV A=/opt B=\"/x y\"\nCOPY a.sh /home/me/\n\
                RUN pip install x && \\\n  # why\n  cp a /home/me\nCOPY --from=ghcr.io/a/b:1 /x /y\nRUN <<EOF\nls /z\nEOF\nWORKDIR /w\n";
    assert_eq!(images(Docker, text), ["python:3.11-slim", "ghcr.io/a/b:1"]);
    assert_eq!(settings(Docker, text), ["Variable TAG 3.11", "Variable A /opt", "Variable B /x y"]);
    assert_eq!(commands(Docker, text), ["Build pip install x", "Build? cp a /home/me", "Build ls /z"]);
    let found = spans(Docker, text);
    for inside in [
        "Word Plain COPY a.sh",
        "Word Inside COPY /home/me/",
        "Word Inside - /home/me",
        "Word Inside WORKDIR /w",
        "Comment Plain -  why",
    ] {
        assert!(found.contains(&inside.into()), "{inside}: {found:?}");
    }
}

#[test]
fn apptainer_definition_has_a_base_image() {
    let text = "Bootstrap: docker\nFrom: a/b:1\n%files\n/eos/x /opt/x\n%post\nls /home/y\n%help\nsee /eos/z\n";
    assert_eq!(images(Apptainer, text), ["a/b:1"]);
    assert_eq!(commands(Apptainer, text), ["Build ls /home/y"]);
    let found = spans(Apptainer, text);
    for expected in
        ["Word Plain files /eos/x", "Word Inside files /opt/x", "Word Inside - /home/y", "Text Shown - see /eos/z"]
    {
        assert!(found.contains(&expected.into()), "{expected}: {found:?}");
    }
}

#[test]
fn paths_in_steps_with_an_image_are_inside_it() {
    let text = "a:\n  script: [x]\nb:\n  image:\n    name: python:3\n  services: [redis:1]\n  script:\n  - cp /code/x /eos/y\nc:\n  script:\n  - cp /code/z .\n";
    assert_eq!(images(Yaml, text), ["python:3", "redis:1"]);
    let found = spans(Yaml, text);
    for expected in ["Word Inside - /code/x", "Word Plain - /eos/y", "Word Plain - /code/z"] {
        assert!(found.contains(&expected.into()), "{expected}: {found:?}");
    }
    let reana = "workflow:\n  specification:\n    steps:\n    - environment: 'docker.io/a/b'\n      commands:\n      - ls /code\n    - environment: c:1\n";
    assert_eq!(images(Yaml, reana), ["docker.io/a/b", "c:1"]);
    assert!(spans(Yaml, reana).contains(&"Word Inside - /code".into()));
    assert_eq!(images(Yaml, "plot:\n  image: a.png\nhome:\n  environment: production\n"), Vec::<String>::new());
}
