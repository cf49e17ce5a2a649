# make demo   sets everything up and checks the example in three facility images
# make test   sets everything up and runs all tests
# make packages  makes what a release is made of, below target/packages (docs/releasing.md)
# make bench  sets up what it needs and prints figures beside those of a peer (docs/performance.md)
# Both run as root on a Debian machine with a Rust toolchain and git, and install what else they need.

HOST   := $(shell rustc -vV | sed -n 's/^host: //p')
BINARY := target/$(HOST)/release/carnet
IMAGES := target/images
DEMO   := bookworm-coffea trixie-coffea bullseye-coffea07
# Everything the project makes stays below target/, the caches of carnet itself included.
export CARNET_CACHE := $(CURDIR)/target/cache

.PHONY: demo test lint packages bench images tools test-tools clean

demo: tools $(BINARY)
	bash examples/images/build.sh $(DEMO)
	@echo
	$(BINARY) check examples/dimuon --out carnet-out --fail-on never

test: test-tools
	bash examples/images/build.sh
	sh .ci/test

bench: tools
	command -v rg >/dev/null || apt-get install -y -qq ripgrep
	bash examples/images/build.sh busybox bookworm-coffea
	cargo bench --locked --bench figures

lint: test-tools
	sh .ci/lint
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --document-private-items

packages: test-tools
	rm -rf target/packages
	sh .ci/package build target/packages
	sh .ci/package finish target/packages

tools:
	@sh .ci/tools

test-tools:
	@sh .ci/tools test

# Cargo knows better than make whether there is something to do.
.PHONY: $(BINARY)
$(BINARY):
	cargo build --release --locked

clean:
	rm -rf target carnet-out
