# make demo      sets everything up and checks the example in three facility images
# make test      sets everything up and runs all tests
# make lint      sets everything up and runs the linters
# make packages  builds the files of a release in target/packages (docs/releasing.md)
# make bench     installs its requirements and compares carnet with other tools (docs/performance.md)
#
# They run as root on Debian 12 with a Rust toolchain, gcc, make and git, and install their other requirements.

HOST   := $(shell rustc -vV | sed -n 's/^host: //p')
# The tests use the same build. `cargo install` and the packages make an optimized one, which takes longer to compile.
BINARY := target/$(HOST)/debug/carnet
DEMO   := bookworm-coffea trixie-coffea bullseye-coffea07
# Everything the project makes stays below target/, the caches of carnet itself included.
export CARNET_CACHE := $(CURDIR)/target/cache

.PHONY: demo test lint packages bench images tools test-tools clean

demo: tools
	@[ -e $(BINARY) ] || echo "demo: the first time takes about 5 minutes on 2 processors: it compiles carnet and makes three images"
	@bash .ci/parallel "bash .ci/compile build --locked" "bash examples/images/build.sh $(DEMO)"
	@echo
	$(BINARY) check examples/dimuon --out carnet-out --fail-on never
	@echo
	@echo "demo: open $(CURDIR)/carnet-out/report.html in a browser to see the report"

test: tools
	@bash .ci/parallel "bash .ci/compile test --no-run --locked" "sh .ci/tools test; bash examples/images/build.sh"
	sh .ci/test

bench: tools
	command -v rg >/dev/null || sh .ci/apt ripgrep
	bash examples/images/build.sh busybox bookworm-coffea
	cargo bench --locked --bench figures

lint: test-tools
	sh .ci/lint
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked --lib --features fuzzing -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --document-private-items

packages: test-tools
	rm -rf target/packages
	sh .ci/package build target/packages
	sh .ci/package finish target/packages

tools:
	@sh .ci/tools

test-tools:
	@sh .ci/tools test

clean:
	rm -rf target carnet-out
