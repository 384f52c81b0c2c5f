# Thin: what a target does is in scripts/, or in Rust.

export CARGO_TARGET_DIR := $(CURDIR)/target

PREFIX ?= /usr
SYSCONFDIR ?= /etc
DESTDIR ?=
# Where libpam looks for modules: the multiarch folder on Debian and Ubuntu, lib64 elsewhere.
MULTIARCH := $(shell cc -print-multiarch 2>/dev/null || true)
SECURITYDIR ?= $(PREFIX)/$(if $(MULTIARCH),lib/$(MULTIARCH),lib64)/security
CARGO ?= $(shell command -v cargo || echo $(HOME)/.cargo/bin/cargo)
# How optimized: "e2e" is what is tested, for the time it takes to build the other.
PROFILE ?= release
BUILT := target/$(PROFILE)
MODULE_FASTER := profile.release.package.totpd-interface.opt-level=3
# Records and seeds are short. The code of poly1305 for new processors prepares more for them than it saves.
FOR_SHORT_RECORDS := --config 'build.rustflags=["--cfg", "poly1305_backend=\"soft\""]'
# What `make vendor` left, which needs no network.
VENDORED := $(if $(wildcard vendor/config.toml),--offline --config vendor/config.toml)

# The programs know where they are installed, and so do the files that start them.
ifneq ($(PREFIX),/usr)
export TOTPD_PREFIX := $(PREFIX)
PLACED := sed -i -e 's|/usr/libexec/totpd|$(PREFIX)/libexec/totpd|g' -e 's|/usr/bin/totpctl|$(PREFIX)/bin/totpctl|g' \
  $(if $(filter /nix/store/%,$(PREFIX)),-e 's|^ExecPaths=.*|& -/nix/store|')
else
PLACED := :
endif

.PHONY: all bench bench-instructions build check deb demo fuzz install lint rpm sanitize test test-machines test-nightly uninstall vendor

all: build

# The module by itself: beside totpd, cargo would give it the contract with zbus. Its messages may take more room in it
# than in the programs.
build:
	$(CARGO) build $(VENDORED) $(FOR_SHORT_RECORDS) --profile $(PROFILE) --locked -p totpd -p totpctl -p totp-import
	$(CARGO) build $(VENDORED) $(FOR_SHORT_RECORDS) --profile $(PROFILE) --locked -p pam_totp --config $(MODULE_FASTER)
	scripts/completions.sh $(BUILT)/totpctl $(BUILT)/completions

# Builds nothing and needs no network.
install:
	install -D -m 0644 $(BUILT)/libpam_totp.so $(DESTDIR)$(SECURITYDIR)/pam_totp.so
	install -D -m 0755 $(BUILT)/totpd $(DESTDIR)$(PREFIX)/libexec/totpd
	install -D -m 0755 $(BUILT)/totp-import $(DESTDIR)$(PREFIX)/libexec/totp-import
	install -D -m 0755 $(BUILT)/totpctl $(DESTDIR)$(PREFIX)/bin/totpctl
	install -D -m 0644 packaging/systemd/totpd.service $(DESTDIR)$(PREFIX)/lib/systemd/system/totpd.service
	install -D -m 0644 packaging/systemd/totpd.socket $(DESTDIR)$(PREFIX)/lib/systemd/system/totpd.socket
	install -D -m 0644 packaging/systemd/totpd.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/totpd.conf
	install -D -m 0644 packaging/systemd/totpctl-try.service $(DESTDIR)$(PREFIX)/lib/systemd/system/totpctl-try.service
	$(PLACED) $(DESTDIR)$(PREFIX)/lib/systemd/system/totpd.service $(DESTDIR)$(PREFIX)/lib/systemd/system/totpctl-try.service
	install -d -m 0755 $(DESTDIR)$(PREFIX)/lib/systemd/system/sysinit.target.wants
	ln -sf ../totpctl-try.service $(DESTDIR)$(PREFIX)/lib/systemd/system/sysinit.target.wants/totpctl-try.service
	install -D -m 0644 packaging/dbus/org.totpd.Totp1.conf $(DESTDIR)$(PREFIX)/share/dbus-1/system.d/org.totpd.Totp1.conf
	install -D -m 0644 packaging/dbus/org.totpd.Totp1.service $(DESTDIR)$(PREFIX)/share/dbus-1/system-services/org.totpd.Totp1.service
	$(PLACED) $(DESTDIR)$(PREFIX)/share/dbus-1/system-services/org.totpd.Totp1.service
	install -D -m 0644 packaging/polkit/org.totpd.Totp1.policy $(DESTDIR)$(PREFIX)/share/polkit-1/actions/org.totpd.Totp1.policy
	install -D -m 0644 packaging/pam-configs/totp $(DESTDIR)$(PREFIX)/share/pam-configs/totp
	install -D -m 0644 packaging/totpd.toml $(DESTDIR)$(SYSCONFDIR)/totpd/totpd.toml
	$(PLACED) $(DESTDIR)$(SYSCONFDIR)/totpd/totpd.toml
	install -d -m 0755 $(DESTDIR)$(SYSCONFDIR)/totpd/totpd.toml.d
	install -d -m 0700 $(DESTDIR)/var/lib/totpd
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man1 packaging/man/totpctl.1
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man5 packaging/man/totpd.toml.5
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man8 packaging/man/pam_totp.8 packaging/man/totpd.8
	$(PLACED) $(DESTDIR)$(PREFIX)/share/man/man5/totpd.toml.5 $(DESTDIR)$(PREFIX)/share/man/man8/totpd.8
	install -D -m 0644 $(BUILT)/completions/totpctl.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/totpctl
	install -D -m 0644 $(BUILT)/completions/_totpctl $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_totpctl
	install -D -m 0644 $(BUILT)/completions/totpctl.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/totpctl.fish

# What `make install` installed, with the same PREFIX. The settings and the store stay, unless PURGE=yes.
uninstall:
	scripts/uninstall.sh "$(DESTDIR)" "$(PREFIX)"
	rm -f $(DESTDIR)$(SECURITYDIR)/pam_totp.so
	rm -f $(DESTDIR)$(PREFIX)/libexec/totpd $(DESTDIR)$(PREFIX)/libexec/totp-import
	rm -f $(DESTDIR)$(PREFIX)/bin/totpctl
	rm -f $(DESTDIR)$(PREFIX)/lib/systemd/system/totpd.service
	rm -f $(DESTDIR)$(PREFIX)/lib/systemd/system/totpd.socket
	rm -f $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/totpd.conf
	rm -f $(DESTDIR)$(PREFIX)/lib/systemd/system/totpctl-try.service
	rm -f $(DESTDIR)$(PREFIX)/lib/systemd/system/sysinit.target.wants/totpctl-try.service
	rm -f $(DESTDIR)$(PREFIX)/share/dbus-1/system.d/org.totpd.Totp1.conf
	rm -f $(DESTDIR)$(PREFIX)/share/dbus-1/system-services/org.totpd.Totp1.service
	rm -f $(DESTDIR)$(PREFIX)/share/polkit-1/actions/org.totpd.Totp1.policy
	rm -f $(DESTDIR)$(PREFIX)/share/pam-configs/totp
	rm -f $(DESTDIR)$(PREFIX)/share/man/man1/totpctl.1
	rm -f $(DESTDIR)$(PREFIX)/share/man/man5/totpd.toml.5
	rm -f $(DESTDIR)$(PREFIX)/share/man/man8/pam_totp.8 $(DESTDIR)$(PREFIX)/share/man/man8/totpd.8
	rm -f $(DESTDIR)$(PREFIX)/share/bash-completion/completions/totpctl
	rm -f $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_totpctl
	rm -f $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/totpctl.fish
ifeq ($(PURGE),yes)
	rm -rf $(DESTDIR)$(SYSCONFDIR)/totpd $(DESTDIR)/var/lib/totpd $(DESTDIR)/var/lib/totpctl
else
	@echo "uninstall: $(DESTDIR)$(SYSCONFDIR)/totpd and $(DESTDIR)/var/lib/totpd stay; PURGE=yes removes them, with all factors"
endif

# Of what `make build` made.
deb: build
	scripts/deb.sh

rpm: build
	scripts/rpm.sh

# All sources that the build needs, under vendor/; it then works without a network.
vendor:
	scripts/vendor.sh

# As any user, with nothing but Rust, a C compiler and libpam0g-dev: format, lints, unit tests.
check:
	scripts/prepare.sh check
	scripts/check.sh

# All tests but those of test-machines. What is not built by cargo is made beside it: what takes long is named first, since
# GNU Make 4.3 may leave a target waiting that another one of a moment made ready.
test:
	scripts/prepare.sh test
	$(MAKE) --no-print-directory -j4 UNITS="--lib --bins --test oathtool" built-tests $(DOORS) need-authselect need-hosts need-programs need-machine need-packages
	scripts/test.sh

# The same of the release, with what only scale distinguishes at its full size.
test-nightly:
	TEST_SCALE=1 $(MAKE) --no-print-directory test TESTED=release DOORS=need-doors

# The tests that boot hosts with systemd, and those that boot kernels of their own.
test-machines:
	scripts/prepare.sh test
	$(MAKE) --no-print-directory need-machine need-packages need-programs need-hosts need-doors need-kernel
	scripts/test.sh systemd instructions booted_doors mandatory_access power_cut

# make test-NAME: the tests of tests/NAME.rs, or else those whose names contain NAME. Builds what they need and no more.
test-%:
	scripts/prepare.sh $$(scripts/needs.sh $*)
	$(MAKE) --no-print-directory $$(scripts/needs.sh $*)
	scripts/test.sh $*

include tests/harness.mk

demo:
	scripts/prepare.sh demo
	scripts/demo.sh

lint:
	scripts/prepare.sh lint
	scripts/lint.sh

# Writes the table of docs/reference/performance.md. TEST_SCALE=1: with a store of a million users too.
bench:
	scripts/prepare.sh bench
	$(MAKE) --no-print-directory need-machine TESTED=release
	scripts/bench.sh

# Instructions of a login in daemon and module, exact, so it fails when one of them grows: tests/bench/instructions.toml.
# `scripts/bench-instructions.sh --write` takes the counts of now.
bench-instructions:
	scripts/prepare.sh bench-instructions
	$(MAKE) --no-print-directory build target/tests/pam
	scripts/bench-instructions.sh

# Ten minutes each; needs no root.
fuzz:
	scripts/fuzz.sh

# The unit tests under AddressSanitizer.
sanitize:
	scripts/sanitize.sh

.PHONY: coverage deny fuzz-quick leave-outs miri msrv release-check reproducible

# Licenses, sources and advisories of all dependencies.
deny:
	scripts/deny.sh

# A minute each; needs no root.
fuzz-quick:
	scripts/fuzz.sh 60

# The oldest Rust that builds the project.
msrv:
	scripts/msrv.sh

# The core in Miri; needs a nightly toolchain.
miri:
	scripts/miri.sh

# The rules of the mark, left out one at a time: docs/development/leave-outs.md. Needs root.
leave-outs:
	scripts/prepare.sh test
	scripts/leave-outs.py

# Lines that the unit tests reach.
coverage:
	scripts/coverage.sh

# The packages of the last commit, made twice and compared.
reproducible:
	scripts/reproducible.sh

# What has to hold before a release is tagged: docs/development/releasing.md.
release-check:
	scripts/release-check.sh
