# `make` lists the targets. CMD is what `make run` watches for: make run CMD="go test ./..."
CARGO ?= cargo
CMD ?= cargo build

.DEFAULT_GOAL := help
.PHONY: help check test torture run install bench bench-quick

help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

check: ## Formatting, lints and documentation, warnings denied
	$(CARGO) fmt --all -- --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" $(CARGO) doc --locked --no-deps --document-private-items

test: check ## What a newcomer needs to trust the build: check, unit and integration tests
	@# Most tests wait more than they work: more of them at once than there are cores.
	RUST_TEST_THREADS=6 $(CARGO) test --locked

torture: ## The long versions of the tests (minutes to an hour)
	$(CARGO) test --locked --release --test it torture_ -- --ignored --nocapture --test-threads=1

run: ## Watch this directory and run CMD on every save
	$(CARGO) run --locked --release -- run -e "$(CMD)"

install: ## Install the program for this user
	$(CARGO) install --path . --locked

bench: ## Side by side with the floor and every peer on PATH
	$(CARGO) bench --locked --bench bench

bench-quick: ## The same in under two minutes
	$(CARGO) bench --locked --bench bench -- --quick
