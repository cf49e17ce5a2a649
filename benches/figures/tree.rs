//! A generated tree with the kinds of files in analysis repositories.
//!
//! The proportions are those of 33 public analysis repositories with 1.8 GB in 19,000 files: 43 % of the bytes are tables of
//! numbers (corrections, CSV, pickles as text), 30 % binary files (ROOT, HDF5, archives, images), 9 % notebooks (70 % of
//! which are base64 images), 6 % XML (trained trees), 5.5 % lists of URLs in JSON, 3 % other JSON, and 3 % programs, scripts
//! and configuration.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Kinds of files: file name, share of the bytes in parts per thousand, size of one file in bytes, and the function that writes it.
const KINDS: [Kind; 9] = [
    Kind { name: "data/corrections/{}.txt", share: 430, size: 150_000, write: table },
    Kind { name: "data/models/{}.root", share: 302, size: 120_000, write: binary },
    Kind { name: "notebooks/{}.ipynb", share: 90, size: 350_000, write: notebook },
    Kind { name: "data/trees/{}.xml", share: 63, size: 250_000, write: xml },
    Kind { name: "filesets/{}.json", share: 55, size: 150_000, write: list },
    Kind { name: "data/lumi/{}.json", share: 30, size: 80_000, write: numbers },
    Kind { name: "analysis/{}.py", share: 15, size: 12_000, write: program },
    Kind { name: "src/{}.cc", share: 10, size: 15_000, write: source },
    Kind { name: "batch/{}.sh", share: 5, size: 3_000, write: script },
];

struct Kind {
    name: &'static str,
    share: u64,
    size: usize,
    write: fn(&mut Noise, usize) -> Vec<u8>,
}

/// Creates a tree of about this size in bytes. Its content is always the same.
pub(crate) fn grow(tree: &Path, bytes: u64) {
    let mut noise = Noise(0x2545_f491_4f6c_dd1d);
    for kind in &KINDS {
        let count = (bytes * kind.share / 1000).div_ceil(kind.size as u64);
        for at in 0..count {
            let path = tree.join(kind.name.replace("{}", &format!("{}/{at}", at % 16)));
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(path, (kind.write)(&mut noise, kind.size)).expect("a file");
        }
    }
    fs::write(tree.join("run.py"), program(&mut noise, 12_000)).expect("a file");
}

/// Pseudo-random numbers from xorshift.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// Returns a text of about `size` bytes, built from parts.
fn text(size: usize, mut part: impl FnMut(&mut String)) -> String {
    let mut text = String::with_capacity(size + 1024);
    while text.len() < size {
        part(&mut text);
    }
    text
}

// Writing to a string can't fail.

fn table(noise: &mut Noise, size: usize) -> Vec<u8> {
    let row = |text: &mut String| {
        let eta = noise.below(50);
        let _ = write!(text, "-{}.{} 150", eta / 10, eta % 10);
        for at in 0..50 {
            let (pt, up) = (9 + at * 3, noise.below(100));
            let _ = write!(text, " {pt}.0 0.{up:04} 0.{up:04}");
        }
        text.push('\n');
    };
    text(size, row).into_bytes()
}

fn binary(noise: &mut Noise, size: usize) -> Vec<u8> {
    let mut bytes = b"root\0\0\xf5\x98\0\0\0d".to_vec();
    while bytes.len() < size {
        bytes.extend(noise.next().to_le_bytes());
    }
    bytes
}

fn notebook(noise: &mut Noise, size: usize) -> Vec<u8> {
    const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let picture: String = (0..size * 7 / 10).map(|_| char::from(BASE64[(noise.next() & 63) as usize])).collect();
    let cells = text(size * 3 / 10, |text| {
        let n = noise.below(1000);
        let _ = writeln!(
            text,
            "{{\"cell_type\": \"code\", \"execution_count\": {n}, \"metadata\": {{}}, \"outputs\": [{{\"name\": \"stdout\", \
             \"output_type\": \"stream\", \"text\": [\"{n} events in 0.{n} s\\n\"]}}], \"source\": [\"events = load({n})\\n\", \
             \"plot(events.Muon.pt[events.Muon.pt > {n}])\"]}},"
        );
    });
    format!(
        "{{\"cells\": [\n{cells}{{\"cell_type\": \"code\", \"execution_count\": 1, \"metadata\": {{}}, \"outputs\": \
         [{{\"data\": {{\"image/png\": \"{picture}\"}}, \"metadata\": {{}}, \"output_type\": \"display_data\"}}], \"source\": \
         [\"x = open('/depot/cms/users/jane/x.root')\"]}}], \"metadata\": {{}}, \"nbformat\": 4, \"nbformat_minor\": 5}}\n"
    )
    .into_bytes()
}

fn xml(noise: &mut Noise, size: usize) -> Vec<u8> {
    let nodes = text(size, |text| {
        let (cut, purity) = (noise.below(100_000), noise.below(1000));
        let _ = writeln!(
            text,
            "<Node pos=\"s\" depth=\"0\" NCoef=\"0\" IVar=\"3\" Cut=\"{cut}.5e+00\" cType=\"1\" res=\"-9.9e+01\" \
             purity=\"0.{purity}\" nType=\"0\"></Node>"
        );
    });
    format!("<?xml version=\"1.0\"?>\n<MethodSetup Method=\"BDT::one\">\n{nodes}</MethodSetup>\n").into_bytes()
}

fn list(noise: &mut Noise, size: usize) -> Vec<u8> {
    let sample = noise.below(1000);
    let urls = text(size, |text| {
        let file = noise.next();
        let _ = writeln!(
            text,
            "    \"root://cmseos.fnal.gov//store/mc/RunIISummer20UL18NanoAODv9/sample_{sample}/NANOAODSIM/v1/{file:016x}.root\","
        );
    });
    format!("{{\"sample_{sample}\": [\n{urls}    \"\"\n]}}\n").into_bytes()
}

fn numbers(noise: &mut Noise, size: usize) -> Vec<u8> {
    let runs = text(size, |text| {
        let (run, lumi) = (noise.below(400_000), noise.below(1000));
        let _ = write!(text, "\"{run}\": [[{lumi}, {}], [{}, {}]], ", lumi + 20, lumi + 30, lumi + 99);
    });
    format!("{{{runs}\"0\": []}}\n").into_bytes()
}

fn program(noise: &mut Noise, size: usize) -> Vec<u8> {
    let functions = text(size, |text| {
        let (n, cut) = (noise.below(1000), noise.below(60));
        let _ = write!(
            text,
            "def select_{n}(events, cut={cut}.0):\n    \"\"\"Muons above a cut.\"\"\"\n    muons = events.Muon\n    \
             good = (muons.pt > cut) & (abs(muons.eta) < 2.4)\n    # both signs\n    pairs = [x for x in muons[good] if x.charge]\n    \
             print(f\"{{len(pairs)}} of {n}\")\n    return muons[good], \"region_{n}\"\n\n\n"
        );
    });
    let year = noise.below(30);
    format!("import awkward as ak\nimport coffea\n\nINPUT = \"/eos/user/j/jane/nano/v{year}\"\nOUT = f\"{{INPUT}}/hists\"\n\n\n{functions}")
        .into_bytes()
}

fn source(noise: &mut Noise, size: usize) -> Vec<u8> {
    let functions = text(size, |text| {
        let n = noise.below(1000);
        let _ = write!(
            text,
            "// Weight {n} of an event.\ndouble weight{n}(const Event& event) {{\n    if (event.njets > {n}) return 1.0 / {n};\n    \
             return event.genWeight * corrections.at(\"sf_{n}\")->evaluate({{event.pt, event.eta}});\n}}\n\n"
        );
    });
    format!("#include <vector>\n#include \"TFile.h\"\n\n{functions}").into_bytes()
}

fn script(noise: &mut Noise, size: usize) -> Vec<u8> {
    let steps = text(size, |text| {
        let n = noise.below(1000);
        let _ = write!(
            text,
            "for part in $(seq {n}); do\n    python run.py --sample s{n} --part \"$part\" || exit 1\ndone\n"
        );
    });
    format!("#!/bin/bash\nset -e\ncd /afs/cern.ch/user/j/jane/work\neval `scramv1 runtime -sh`\n{steps}").into_bytes()
}
