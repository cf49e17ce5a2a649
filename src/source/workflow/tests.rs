//! Complete CI files, valid and hostile.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::{prop_assert, proptest};

use super::read;
use crate::config::Config;
use crate::config::ci::{Ci, CiEnvironment};
use crate::config::template::{Detected, render};

fn ci(files: &[(&str, &str)]) -> Ci {
    let files: BTreeMap<String, Vec<u8>> =
        files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    read(&files)
}

fn github(text: &str) -> Ci {
    ci(&[(".github/workflows/ci.yml", text)])
}

fn gitlab(text: &str) -> Ci {
    ci(&[(".gitlab-ci.yml", text)])
}

fn rendered(ci: Ci) -> String {
    let text = render(&Detected { name: "x".to_owned(), ci, is_from_ci: true, ..Detected::default() });
    let parsed = Config::parse(&text, Path::new("/a/carnet.toml"));
    assert!(parsed.is_ok(), "{text}\n{}", parsed.err().map(|e| e.to_string()).unwrap_or_default());
    text
}

fn images(ci: &Ci) -> Vec<&str> {
    ci.environments.iter().map(|environment| environment.image.as_str()).collect()
}

fn only(ci: &Ci) -> &CiEnvironment {
    assert_eq!(ci.environments.len(), 1, "{ci:#?}");
    &ci.environments[0]
}

fn unsupported(ci: &Ci) -> String {
    ci.unsupported.iter().map(|part| format!("{}: {}\n", part.location, part.reason)).collect()
}

#[test]
fn container_job_becomes_environment() {
    let ci = github(
        "env: {LANG: C.UTF-8, API_TOKEN: x}\njobs:\n  test:\n    runs-on: ubuntu-latest\n    container:\n      \
         image: gitlab-registry.cern.ch/atlas/athena/analysisbase:25.2.2\n      options: --user 1000 --privileged\n      \
         volumes: ['/cvmfs:/cvmfs']\n      env: {A: b}\n    steps:\n      - uses: actions/checkout@v4\n      - run: |\n          \
         source /release_setup.sh\n          pytest -v\n",
    );
    let environment = only(&ci);
    assert_eq!(environment.image, "docker://gitlab-registry.cern.ch/atlas/athena/analysisbase:25.2.2");
    assert_eq!(environment.setup, ["source /release_setup.sh"]);
    assert_eq!(environment.env.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>(), ["A=b", "LANG=C.UTF-8"]);
    assert_eq!(ci.common_test(), Some("pytest -v"));
    assert!(unsupported(&ci).contains("API_TOKEN"), "{ci:?}");
    let text = rendered(ci);
    for part in
        ["user = \"1000\"", "mounts = [\"/cvmfs:/cvmfs:rw\"]", "ci.yml:3)", "`--privileged`", "run = \"pytest -v\""]
    {
        assert!(text.contains(part) || part.contains(":rw") && text.contains("/cvmfs:/cvmfs"), "{part}\n{text}");
    }
}

#[test]
fn matrix_of_images_gives_one_environment_each() {
    let ci = github(
        "jobs:\n  test:\n    runs-on: ubuntu-latest\n    strategy:\n      matrix:\n        image: ['cmssw/el8:x86_64', 'cmssw/el9:x86_64']\n        \
         n: [1, 2]\n        include:\n          - {image: 'cmssw/cc7:x86_64'}\n    container: ${{ matrix.image }}\n    steps:\n      - run: ctest\n",
    );
    assert_eq!(images(&ci), ["docker://cmssw/el8:x86_64", "docker://cmssw/el9:x86_64", "docker://cmssw/cc7:x86_64"]);
    assert_eq!(ci.common_test(), Some("ctest"));
}

#[test]
fn run_time_image_is_reported_with_job() {
    let ci = github("jobs:\n  a:\n    container: ghcr.io/${{ github.repository }}:1\n    steps: [{run: pytest}]\n");
    assert!(ci.environments.is_empty());
    let text = rendered(ci);
    assert!(
        text.contains("job `a` (.github/workflows/ci.yml:2): image `ghcr.io/${{ github.repository }}:1`"),
        "{text}"
    );
}

#[test]
fn lcg_view_is_image_with_setup() {
    let ci = github(
        "jobs:\n  v:\n    runs-on: ubuntu-latest\n    strategy: {matrix: {LCG: [LCG_106/x86_64-el9-gcc13-opt, LCG_99/x86_64-mac1015-clang120-opt]}}\n    \
         steps:\n      - uses: cvmfs-contrib/github-action-cvmfs@v5\n      - uses: AIDASoft/run-lcg-view@v5\n        with:\n          \
         release-platform: ${{ matrix.LCG }}\n          run: |\n            cmake -B build\n            ctest --test-dir build\n",
    );
    let environment = only(&ci);
    assert_eq!(environment.image, "docker://ghcr.io/aidasoft/el9:latest");
    assert_eq!(environment.setup, ["source /cvmfs/sft.cern.ch/lcg/views/LCG_106/x86_64-el9-gcc13-opt/setup.sh"]);
    assert!(environment.mounts.contains("/cvmfs:/cvmfs"));
    assert_eq!(ci.common_test(), Some("set -e\ncmake -B build\nctest --test-dir build"));
    assert!(unsupported(&ci).contains("mac1015"), "{ci:?}");
    assert!(rendered(ci).contains("id = \"lcg-106-x86-64-el9-gcc13-opt\""));
}

#[test]
fn container_started_by_step_becomes_environment() {
    let ci = github(
        "jobs:\n  t:\n    runs-on: ubuntu-latest\n    env: {TAG: '9'}\n    steps:\n      - run: |\n          docker run -d --name box \\\n            \
         -v ${GITHUB_WORKSPACE}:/Package -v /cvmfs:/cvmfs:shared almalinux:$TAG /bin/bash\n          docker run -d -p 80:80 x/server:1\n      \
         - run: docker exec box bash -c 'cd Package; source /cvmfs/sw.hsf.org/key4hep/setup.sh; ctest'\n      \
         - run: docker build -t a/own:1 . && true\n      - run: docker run a/own:1 pytest\n      - run: docker run a/b:${GITHUB_SHA} pytest\n",
    );
    let environment = only(&ci);
    assert_eq!(environment.image, "docker://almalinux:9");
    assert_eq!(environment.setup, ["source /cvmfs/sw.hsf.org/key4hep/setup.sh"]);
    assert_eq!(ci.common_test(), Some("ctest"));
    let unsupported = unsupported(&ci);
    for part in ["image `docker://x/server:1` runs in the background", "builds image `a/own:1`", "${GITHUB_SHA}"] {
        assert!(unsupported.contains(part), "{part}\n{unsupported}");
    }
}

#[test]
fn job_without_image_is_reported_with_its_tests() {
    let ci = github(
        "jobs:\n  t:\n    runs-on: ${{ matrix.os }}\n    strategy: {matrix: {os: [ubuntu-24.04, macos-14], py: ['3.9', '3.12']}}\n    steps:\n      \
         - uses: actions/setup-python@v5\n        with: {python-version: '${{ matrix.py }}'}\n      - run: pip install .[test]\n      - run: pytest\n        \
         working-directory: tests\n  lint:\n    runs-on: ubuntu-24.04\n    steps: [{run: ./run-tests.sh --lint}]\n",
    );
    assert_eq!(ci.common_test(), Some("set -e\ncd tests\npytest"));
    assert_eq!(ci.installs, ["pip install .[test]"]);
    let unsupported = unsupported(&ci);
    assert!(
        unsupported
            .contains("runs directly on ubuntu-24.04, without an image, with Python 3.9, 3.12; `docker://python:3.12`"),
        "{unsupported}"
    );
    assert!(unsupported.contains("`macos-14`"), "{unsupported}");
    assert!(
        unsupported.contains("job `lint` (.github/workflows/ci.yml:11): no image and no known test"),
        "{unsupported}"
    );
}

#[test]
fn commands_of_actions_may_start_containers() {
    let ci = github(
        "jobs:\n  serial:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: reanahub/reana-github-actions/local-run@v1\n        with:\n          \
         commands: |\n            docker run -i --rm -v `pwd`:/workdir docker.io/reanahub/reana-env-root6 bash -c \"\n              cd /workdir &&\n              \
         root -b -q './code/gen.C(200,\\\"x.root\\\")'\"\n            ls -l x.root\n",
    );
    assert_eq!(only(&ci).image, "docker://docker.io/reanahub/reana-env-root6");
    assert_eq!(ci.common_test(), Some("root -b -q './code/gen.C(200,\"x.root\")'"));
}

#[test]
fn gitlab_jobs_inherit_images() {
    let ci = gitlab(
        "image: $BASE:1\nvariables:\n  BASE: registry.cern.ch/docker.io/cmssw/el9\n  CMS_PATH: {value: /cvmfs/cms.cern.ch}\n  GIT_DEPTH: 1\n\
         .cms:\n  tags: [k8s-cvmfs]\n  before_script:\n    - set +u && source ${CMS_PATH}/cmsset_default.sh; set -u\n\
         a:\n  extends: .cms\n  script: [pytest]\n\
         b:\n  image: {name: 'python:3.11', entrypoint: ['']}\n  script:\n    - !reference [.cms, before_script]\n    - [pytest]\n\
         pages:\n  image: x/y:1\n  script: mkdocs build\nc:\n  extends: [.other]\n  script: [ls]\n\
         d:\n  parallel: {matrix: [{IMAGE: ['p/q:1', 'p/q:2']}]}\n  image: $IMAGE\n  script: pytest\n",
    );
    assert_eq!(
        images(&ci),
        [
            "docker://registry.cern.ch/docker.io/cmssw/el9:1",
            "docker://python:3.11",
            "docker://registry.cern.ch/docker.io/cmssw/el9:1",
            "docker://p/q:1",
            "docker://p/q:2"
        ]
    );
    let first = &ci.environments[0];
    assert_eq!(first.setup, ["set +u", "source ${CMS_PATH}/cmsset_default.sh", "set -u"]);
    assert_eq!(first.env["CMS_PATH"], "/cvmfs/cms.cern.ch");
    assert!(!first.env.contains_key("GIT_DEPTH") && first.mounts.contains("/cvmfs:/cvmfs"));
    assert_eq!(ci.environments[1].setup, first.setup);
    assert_eq!(ci.common_test(), Some("pytest"));
    let unsupported = unsupported(&ci);
    assert!(unsupported.contains("job `pages`") && unsupported.contains("`.other`"), "{unsupported}");
    rendered(ci);
}

#[test]
fn job_with_artifacts_of_another_job_is_not_a_test() {
    let ci = gitlab(
        "build:\n  stage: build\n  image: atlas/analysisbase:1\n  before_script: [source /release_setup.sh, mkdir build]\n  \
         script: [cd build, cmake ../src, make]\n  artifacts: {paths: [build]}\nrun:\n  image: atlas/analysisbase:1\n  \
         before_script: [source /release_setup.sh, 'source build/x86/setup.sh']\n  script: [ctest]\n",
    );
    assert_eq!(only(&ci).setup, ["source /release_setup.sh"]);
    assert_eq!(ci.common_test(), None);
    assert!(unsupported(&ci).contains("tests require the output of job `build`"), "{ci:?}");
    assert!(rendered(ci).contains("#   source build/x86/setup.sh"));
}

#[test]
fn included_files_are_read() {
    let ci = ci(&[
        (".gitlab-ci.yml", "include:\n  - local: /ci/a.yml\n  - project: x/y\n    file: z.yml\n  - local: gone.yml\n"),
        ("ci/a.yml", "include: {local: .gitlab-ci.yml}\nt:\n  image: a/b:1\n  script: pytest\n"),
    ]);
    assert_eq!(only(&ci).jobs, ["job `t` (ci/a.yml:2)"]);
    let unsupported = unsupported(&ci);
    assert!(unsupported.contains("`project x/y`") && unsupported.contains("`gone.yml`"), "{unsupported}");
}

#[test]
fn hostile_files_are_bounded() {
    let anchors: String =
        (1..40).map(|n| format!("a{n}: &a{n} [*a{p},*a{p},*a{p},*a{p},*a{p},*a{p}]\n", p = n - 1)).collect();
    let bomb = format!("a0: &a0 [x,x,x,x,x,x]\n{anchors}jobs: *a39\n");
    let deep = format!("jobs: {}", "[".repeat(100_000));
    let keys: String = (0..50_000).map(|n| format!("j{n}: {{extends: .a, image: a/b, script: x}}\n")).collect();
    let cycle = ".a: {extends: .b}\n.b: {extends: [.a, .b]}\nt: {extends: .a, script: [[[[pytest]]]], image: x/y}\n";
    let wide = format!(
        "jobs: {{t: {{strategy: {{matrix: {{{}}}}}, container: 'a/${{{{ matrix.k9 }}}}', steps: [{{run: pytest}}]}}}}",
        (0..20).map(|n| format!("k{n}: [0,1,2,3,4,5,6,7,8,9]")).collect::<Vec<_>>().join(", ")
    );
    for text in [bomb, deep, keys, cycle.to_owned(), wide] {
        rendered(github(&text));
        rendered(gitlab(&text));
    }
    assert_eq!(images(&gitlab(cycle)), ["docker://x/y"]);
}

/// Fragments of CI files, so that random combinations are sometimes valid.
fn pieces() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::{Just, Strategy as _, prop_oneof};
    let piece = prop_oneof![
        Just("jobs:\n  a:\n    ".to_owned()),
        Just("container: ".to_owned()),
        Just("image: ".to_owned()),
        Just("x/y:1\n".to_owned()),
        Just("{image: 'q\\x07', options: '-e A=\\u0001 --user 0 -m 1z -v /:/x'}\n".to_owned()),
        Just("    steps:\n      - run: \"docker run --user me -w rel -e A='\\t' a/b:1 pytest\"\n".to_owned()),
        Just(
            "    steps: [{uses: aidasoft/run-lcg-view@v1, with: {release-platform: 'L\\\"/x86_64-el9'}}]\n".to_owned()
        ),
        Just("t:\n  script: [\"source '/a\\\\'\", \"pytest \\\"\\\"\\\"\"]\n  image: 'a/b'\n".to_owned()),
        Just("variables: {'a=b': x, '': y, V: \"\\0\"}\n".to_owned()),
        "\\PC{0,12}\n",
        "[ -:\\[\\]{}'\"a-z$]{0,12}",
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn generated_file_is_always_valid(text in pieces()) {
        for ci in [github(&text), gitlab(&text)] {
            let text = render(&Detected { name: "x".to_owned(), ci, is_from_ci: true, ..Detected::default() });
            let parsed = Config::parse(&text, Path::new("/a/carnet.toml"));
            prop_assert!(parsed.is_ok(), "{}\n{:?}", text, parsed.err().map(|e| e.to_string()));
        }
    }
}
