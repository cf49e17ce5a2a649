//! Languages of files.

use super::super::language::Language;

#[test]
fn language_is_detected_by_name_and_extension() {
    let expected = [
        ("a/b.py", Language::Python),
        ("Snakefile", Language::Python),
        ("wscript", Language::Python),
        ("x.ipynb", Language::Notebook),
        ("m.C", Language::Cpp),
        ("m.cxx", Language::Cpp),
        ("m.icc", Language::Cpp),
        ("x.csh", Language::Shell),
        (".gitlab-ci.yml", Language::Yaml),
        ("law.cfg", Language::Ini),
        ("x.jdl", Language::HtCondor),
        ("x.condor", Language::HtCondor),
        ("Dockerfile.gpu", Language::Docker),
        ("a.dockerfile", Language::Docker),
        ("Containerfile", Language::Docker),
        ("Singularity.v1", Language::Apptainer),
        ("CMakeLists.txt", Language::Cmake),
        ("GNUmakefile", Language::Make),
        ("requirements-dev.txt", Language::Requirements),
        (".gitignore", Language::Ignore),
        ("README", Language::Prose),
        ("LICENSE.txt", Language::Prose),
        ("readme.py", Language::Python),
        ("a.tex", Language::Prose),
        ("x.weights.xml", Language::Generated),
        ("run.log", Language::Generated),
        ("files.txt", Language::Data),
        ("poetry.lock", Language::Data),
        ("pyproject.toml", Language::Toml),
        ("data.csv", Language::Data),
    ];
    for (path, language) in expected {
        assert_eq!(Language::of(path, b""), language, "{path}");
    }
}

#[test]
fn language_is_detected_by_content() {
    let expected = [
        ("run", "#!/usr/bin/env python3\n", Language::Python),
        ("run", "#! /bin/bash\n", Language::Shell),
        ("run", "singularity exec a.sif b\n", Language::Shell),
        ("job.txt", "executable = a\nuniverse = vanilla\nqueue\n", Language::HtCondor),
        ("job.cfg", "executable = a\nlog = b\noutput = c\n", Language::HtCondor),
        ("steps.x", "# a\n./make.py -b\n", Language::Shell),
        ("uv.lock", "version = 1\n", Language::Data),
        ("job.txt", "#SBATCH -p x\n", Language::Shell),
        ("x.def", "Bootstrap: docker\n", Language::Apptainer),
        ("x.def", "a b c\n", Language::Data),
        ("pset.cfg", "import FWCore\nprocess = cms.Process('A')\n", Language::Python),
        ("dict.cxx", "// Do NOT change. Changes will be lost next time file is generated\n", Language::Generated),
        ("names", "one\ntwo\n", Language::Data),
    ];
    for (path, head, language) in expected {
        assert_eq!(Language::of(path, head.as_bytes()), language, "{path}: {head}");
    }
}
