# `make` lists the targets. CMD is what `make run` watches for: make run CMD="go test ./..."
CARGO ?= cargo
CMD ?= cargo build

# Where `make install` puts things: for this user, or PREFIX=/usr/local for everybody. DESTDIR comes before it
# when a package is built. PROGRAM is what is installed; it prints its own completions and manual page.
PREFIX ?= $(HOME)/.local
DESTDIR ?=
PROGRAM ?= $(or $(CARGO_TARGET_DIR),target)/release/go-watcher
SHARE = $(DESTDIR)$(PREFIX)/share
INSTALLED = $(DESTDIR)$(PREFIX)/bin/go-watcher $(SHARE)/man/man1/go-watcher.1 \
	$(SHARE)/bash-completion/completions/go-watcher $(SHARE)/zsh/site-functions/_go-watcher \
	$(SHARE)/fish/vendor_completions.d/go-watcher.fish

# What `make check-macos` checks with: a compiler and the source of *its* library, since there is no library
# for macOS here. Debian's packages have both.
MACOS_RUSTC ?= /usr/bin/rustc
MACOS_CARGO ?= /usr/bin/cargo
MACOS_TARGET ?= aarch64-apple-darwin

.DEFAULT_GOAL := help
.PHONY: help check check-macos test torture run install install-built uninstall deb compare bench bench-quick instructions

help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

check: ## Formatting, lints and documentation, warnings denied
	$(CARGO) fmt --all -- --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" $(CARGO) doc --locked --no-deps --document-private-items

check-macos: ## Type-check program and tests for macOS, warnings denied (on Debian: rustc-web, cargo-web, rust-web-src)
	@test -x "$(MACOS_CARGO)" && library="$$($(MACOS_RUSTC) --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock" \
		&& test -e "$$library" || { \
		echo "check-macos needs a compiler with the source of its library: apt-get install rustc-web cargo-web rust-web-src" >&2; \
		echo "(looked for $(MACOS_CARGO), $(MACOS_RUSTC) and $${library:-its source}; name others with MACOS_CARGO= and MACOS_RUSTC=)" >&2; \
		exit 1; }
	RUSTC="$(MACOS_RUSTC)" RUSTC_BOOTSTRAP=1 RUSTFLAGS="-D warnings" "$(MACOS_CARGO)" check --locked \
		-Z build-std=std,panic_abort,panic_unwind,test --target "$(MACOS_TARGET)" --target-dir target/macos --lib --bins --tests

test: check ## What a newcomer needs to trust the build: check, unit and integration tests
	@# Most tests wait more than they work: more of them at once than there are cores.
	RUST_TEST_THREADS=3 $(CARGO) test --locked

torture: ## The long versions of the tests (a quarter of an hour)
	$(CARGO) test --locked --release --lib --test it torture_ -- --ignored --nocapture --skip torture_in_time_ --test-threads=4
	@# What promises a time goes alone.
	$(CARGO) test --locked --release --test it torture_in_time_ -- --ignored --nocapture --test-threads=1

run: ## Watch this directory and run CMD on every save
	$(CARGO) run --locked --release -- run -e "$(CMD)"

install: ## Install program, manual page and completions (PREFIX=~/.local; PREFIX=/usr/local for everybody)
	$(CARGO) build --locked --release
	@$(MAKE) --no-print-directory install-built

install-built:
	install -d $(foreach file,$(INSTALLED),"$(dir $(file))")
	install -m 755 "$(PROGRAM)" "$(DESTDIR)$(PREFIX)/bin/go-watcher"
	"$(PROGRAM)" man > "$(SHARE)/man/man1/go-watcher.1"
	"$(PROGRAM)" completions bash > "$(SHARE)/bash-completion/completions/go-watcher"
	"$(PROGRAM)" completions zsh > "$(SHARE)/zsh/site-functions/_go-watcher"
	"$(PROGRAM)" completions fish > "$(SHARE)/fish/vendor_completions.d/go-watcher.fish"
	@case ":$$PATH:" in *":$(PREFIX)/bin:"*) ;; *) echo "$(PREFIX)/bin is not on PATH yet" ;; esac

uninstall: ## Remove what install has put there (with the same PREFIX)
	rm -f $(foreach file,$(INSTALLED),"$(file)")

deb: ## Build a Debian package in target/debian (cargo install cargo-deb)
	$(CARGO) build --locked --release
	@$(MAKE) --no-print-directory install-built DESTDIR=target/deb PREFIX=
	$(CARGO) deb --locked --no-build

compare: ## Do what README's comparison shows with every peer on PATH (minutes)
	$(CARGO) build --locked --release
	GO_WATCHER="$(abspath $(PROGRAM))" benches/compare.sh

bench: ## Side by side with the floor and every peer on PATH
	$(CARGO) bench --locked --bench bench

bench-quick: ## The same in under two minutes
	$(CARGO) bench --locked --bench bench -- --quick

instructions: ## Count a reload's own instructions; they may differ from benches/instructions by 10 % (valgrind)
	$(CARGO) bench --locked --bench bench -- --instructions benches/instructions
