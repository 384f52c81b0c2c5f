# What end-to-end tests need, each made when a file is newer that it is made of. `tests/needs.toml` says which test
# needs what. Included by the Makefile.

# The programs under test, and the profile they are built with: e2e, or release for `make test-nightly` and `make bench`.
TESTED ?= e2e
HARNESS_C := target/tests/pam target/tests/phases target/tests/sandbox_probe target/tests/deny_mounts target/tests/libnss_trouble.so.2 target/tests/faults.so \
  target/tests/no_seccomp.so
HARNESS_SCRIPTS := $(filter-out %.c,$(notdir $(wildcard tests/harness/*)))
# Unit tests, where they are wanted besides.
UNITS ?=

.PHONY: need-authselect need-doors need-harness need-hosts need-kernel need-machine need-packages need-programs need-tested built-tests

target/tests/pam: LIBRARIES := -lpam -ldl
target/tests/phases: LIBRARIES := -lpam
target/tests/sandbox_probe: LIBRARIES := -lsystemd
target/tests/faults.so: LIBRARIES := -ldl
target/tests/pam target/tests/phases target/tests/sandbox_probe target/tests/deny_mounts: target/tests/%: tests/harness/%.c
	@mkdir -p $(@D)
	cc -O2 -Wall -Wextra -Werror -o $@ $< $(LIBRARIES)
target/tests/libnss_trouble.so.2: tests/harness/nss_trouble.c
target/tests/faults.so: tests/harness/faults.c
target/tests/no_seccomp.so: tests/harness/no_seccomp.c
target/tests/libnss_trouble.so.2 target/tests/faults.so target/tests/no_seccomp.so:
	@mkdir -p $(@D)
	cc -O2 -Wall -Wextra -Werror -shared -fPIC -o $@ $< $(LIBRARIES)

# The tests, and the Rust programs they act with; cargo knows what is old.
built-tests:
	scripts/harness.sh $(UNITS)

need-harness: built-tests $(HARNESS_C)
	cp -r $(addprefix tests/harness/,$(HARNESS_SCRIPTS)) packaging/ansible target/tests/

# `cargo test` would replace some of them, so they are copied.
need-tested: | built-tests
	[ $(TESTED) = e2e ] || $(MAKE) --no-print-directory build PROFILE=$(TESTED)
	rm -rf target/tested
	mkdir target/tested
	cp -r $(addprefix target/$(TESTED)/,totpd totpctl totp-import libpam_totp.so completions) target/tested/

need-machine: need-harness need-tested
	echo $(TESTED) >target/tests/profile

# Of what is tested; `make deb` and `make rpm` make those that are for others.
need-packages: need-tested
	BUILT=target/tested OUT=target/tested/deb scripts/deb.sh
	cp target/tested/deb/*.deb target/tests/libpam-totp.deb
	BUILT=target/tested OUT=target/tested/rpm scripts/rpm.sh
	cp target/tested/rpm/*.rpm target/tests/pam-totp.rpm
	rm -rf target/tested/installed
	$(MAKE) --no-print-directory -s install BUILT=target/tested DESTDIR=$(CURDIR)/target/tested/installed
	tar -C target/tested/installed -cf target/tests/installed.tar .

# Only where its source can be had.
need-authselect:
	mkdir -p target/tests
	scripts/authselect.sh target/tests

# These look themselves whether what they made before is still what is asked for.
need-programs: target/tests/sudo-rs
	scripts/programs.sh

need-hosts:
	if scripts/host.sh --possible; then scripts/roots.sh bookworm trixie; fi

# All programs that log somebody in.
need-doors: target/tests/sudo-rs
	if scripts/host.sh --possible; then scripts/roots.sh bookworm-doors trixie-doors; fi

need-kernel:
	scripts/prepare.sh kernel
	scripts/roots.sh bookworm-kernel noble-kernel
	mkdir -p target/tests
	scripts/selinux.sh target/tests

# sudo-rs, which Debian 12 does not have.
target/tests/sudo-rs: target/sudo-rs/bin/sudo
	@mkdir -p $(@D)
	cp $< $@
# Its own release, without the minute of optimizing over crates.
target/sudo-rs/bin/sudo:
	CARGO_PROFILE_RELEASE_LTO=off $(CARGO) install sudo-rs --version 0.2.15 --locked --root target/sudo-rs --target-dir target/sudo-rs/build --no-track
