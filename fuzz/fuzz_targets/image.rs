//! Opens any bytes as an image in a tar file, in both formats, and exports it for Docker.

#![no_main]

use std::io::Write as _;

use carnet::image::disk::OnDisk;
use carnet::image::export::write_docker_archive;
use carnet::model::reference::Reference;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(data).expect("it is written");
    let path = file.path().to_owned();
    for reference in [Reference::OciArchive(path.clone(), None), Reference::DockerArchive(path, None)] {
        if let Ok(image) = OnDisk::open(&reference) {
            let _ = write_docker_archive(&image, "x:y", std::io::sink());
        }
    }
});
