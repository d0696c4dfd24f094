# Makefile: `make` builds build/invigil; `sudo make demo` and `sudo make check` do everything else.
# For another architecture: make ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- builds build/arm64/invigil.
CROSS_COMPILE ?=
CC := $(if $(filter default,$(origin CC)),$(CROSS_COMPILE)gcc,$(CC))
MULTIARCH := $(shell $(CC) -print-multiarch)
ARCH ?= $(patsubst aarch64-%,arm64,$(patsubst x86_64-%,x86,$(MULTIARCH)))
CLANG ?= clang
LLVM_STRIP ?= $(or $(shell command -v llvm-strip || command -v llvm-strip-14),llvm-strip)
BPFTOOL ?= $(or $(shell command -v bpftool),/usr/sbin/bpftool)
PKG_CONFIG ?= pkg-config
prefix ?= /usr/local
STATIC ?= 0
V ?= 0
Q := $(if $(filter 1,$(V)),,@)
B := $(if $(CROSS_COMPILE),build/$(ARCH),build)
# Libraries of another architecture that are not installed but unpacked: tests/lib/deps.sh arm64.
SYSROOT ?= $(if $(CROSS_COMPILE),$(wildcard build/sysroot-$(ARCH)))

WARN := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Werror
CFLAGS ?= -O2 -g
# The same bytes from every folder: tests/e2e/static.sh builds in two.
SAME := -ffile-prefix-map=$(CURDIR)=.
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE $(CFLAGS) $(SAME) $(WARN) -Iinclude -Iuser -I$(B)
ifneq ($(SYSROOT),)
ALL_CFLAGS += -isystem $(SYSROOT)/usr/include -isystem $(SYSROOT)/usr/include/$(MULTIARCH)
LDFLAGS += -L$(SYSROOT)/usr/lib/$(MULTIARCH) -Wl,-rpath-link,$(SYSROOT)/lib/$(MULTIARCH)
PKG_CONFIG := PKG_CONFIG_LIBDIR=$(SYSROOT)/usr/lib/$(MULTIARCH)/pkgconfig $(PKG_CONFIG)
endif
LDLIBS := -lbpf -lelf -lz
ifeq ($(STATIC),1)
LDFLAGS += -static -s
endif
# The program itself under the sanitizers, in a folder of its own: make B=build/asan SANITIZE=address,undefined
ifneq ($(SANITIZE),)
ALL_CFLAGS += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS += -fsanitize=$(SANITIZE)
endif
# Optional: the configuration file.
ifneq ($(YAML),0)
ifeq ($(shell $(PKG_CONFIG) --exists yaml-0.1 2>/dev/null && echo yes),yes)
ALL_CFLAGS += -DHAVE_YAML
LDLIBS += -lyaml
endif
endif

# Optional: looking into xz data.
ifneq ($(LZMA),0)
ifeq ($(shell $(PKG_CONFIG) --exists liblzma 2>/dev/null && echo yes),yes)
ALL_CFLAGS += -DHAVE_LZMA
LDLIBS += -llzma
endif
endif
# What pure code links with.
PURE_LIBS = $(filter -lyaml -llzma -lz,$(LDLIBS))

BPF_SRC := $(sort $(wildcard bpf/*.bpf.c))
BPF_OBJ := $(BPF_SRC:bpf/%.bpf.c=$(B)/%.bpf.o)
BPF_CFLAGS := -g -O2 $(SAME) -Wall -Werror -target bpf -D__TARGET_ARCH_$(ARCH) -Iinclude -Ivmlinux \
	-I/usr/include/$(MULTIARCH) $(if $(CROSS_COMPILE),-I/usr/$(MULTIARCH)/include)

# What needs the kernel, a process of its own, or main; everything else is pure and is linked into tests.
LIVE := main loader loader_hooks loader_maps skeleton coverage plain_object kernel_btf env_attach env_link env_known lazy_file library_path probe monitor monitor_peers run_files front witness guardian gate attacher exec_file exec_attempt thread_memory uprobe host engine_socket cmd_run cmd_replay cmd_check control cmd_status link_look startup_look hash_look adopt remote setup notify scan state listener scrape usage writable
LIVE += $(basename $(notdir $(wildcard user/daemon*.c)))
LIVE += privilege syscall_table build_claim build_table container_late
PURE_SRC := $(filter-out $(LIVE:%=user/%.c),$(sort $(wildcard user/*.c user/detect/*.c)))
PURE_OBJ := $(PURE_SRC:user/%.c=$(B)/%.o)
LIVE_OBJ := $(LIVE:%=$(B)/%.o)

all: $(B)/invigil

$(B)/invigil: $(LIVE_OBJ) $(PURE_OBJ) $(B)/flags
	@echo "  LD    $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LDLIBS)

# Changes when a variable of the build does: STATIC=1 or YAML=0 after a plain make.
$(B)/flags: always
	@mkdir -p $(@D)
	@echo '$(CC) $(ALL_CFLAGS) $(LDFLAGS) $(LDLIBS)' | cmp -s - $@ || echo '$(CC) $(ALL_CFLAGS) $(LDFLAGS) $(LDLIBS)' >$@

$(B)/%.o: user/%.c $(B)/flags
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(patsubst %,$(B)/%.o,loader loader_hooks loader_maps skeleton env_attach env_link): $(B)/invigil.skel.h

$(B)/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	@echo "  BPF   $<"
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<
	$(Q)$(LLVM_STRIP) -g $@

$(B)/invigil.bpf.o: $(BPF_OBJ)
	$(Q)$(BPFTOOL) gen object $@ $^

$(B)/invigil.skel.h: $(B)/invigil.bpf.o
	$(Q)$(BPFTOOL) gen skeleton $< name invigil > $@

# The same sources for kernels without loops and task storage (bpf/member.bpf.h); packed, for few need it.
$(B)/plain/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	@echo "  BPF   $< (plain)"
	$(Q)$(CLANG) $(BPF_CFLAGS) -DPLAIN -MMD -MP -c -o $@ $<
	$(Q)$(LLVM_STRIP) -g $@

$(B)/plain.bpf.o: $(BPF_SRC:bpf/%.bpf.c=$(B)/plain/%.bpf.o)
	$(Q)$(BPFTOOL) gen object $@ $^

# Both have the same maps, programs and variables: one skeleton serves them.
$(B)/plain.bpf.o.gz: $(B)/plain.bpf.o $(B)/invigil.skel.h
	$(Q)$(BPFTOOL) gen skeleton $< name invigil | sed '/elf_bytes(size_t \*sz)$$/,$$d' >$(B)/plain.skel
	$(Q)sed '/elf_bytes(size_t \*sz)$$/,$$d' $(B)/invigil.skel.h | diff - $(B)/plain.skel
	$(Q)gzip -9n <$< >$@

$(B)/plain_object.o: $(B)/plain.bpf.o.gz
$(B)/plain_object.o: ALL_CFLAGS += -DPLAIN_OBJECT='"$(B)/plain.bpf.o.gz"'

# ---- tests ----
SAN := -fsanitize=address,undefined -fno-sanitize-recover=all
UNIT := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
FUZZ := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 20
UNIT_OBJ := $(PURE_SRC:user/%.c=$(B)/san/%.o)

$(B)/san/%.o: user/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -O1 $(SAN) -MMD -MP -c -o $@ $<

$(B)/unit/%: tests/unit/%.c $(UNIT_OBJ)
	@mkdir -p $(@D)
	@echo "  TEST  $@"
	$(Q)$(CC) $(ALL_CFLAGS) -Itests/unit -O1 $(SAN) -Wno-missing-prototypes -o $@ $^ \
		-lcmocka $(PURE_LIBS)

# The pure middle is compiled once for all fuzzers.
FUZZ_CC := $(CLANG) $(filter-out -Werror,$(ALL_CFLAGS)) -O1 -fno-sanitize-recover=all
FUZZ_OBJ := $(PURE_SRC:user/%.c=$(B)/fuzzed/%.o)

$(B)/fuzzed/%.o: user/%.c
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer-no-link,address,undefined -MMD -MP -c -o $@ $<

$(B)/fuzz/%: tests/fuzz/%.c $(FUZZ_OBJ)
	@mkdir -p $(@D)
	@echo "  FUZZ  $@"
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -Itests/unit -Wno-missing-prototypes -o $@ $^ \
		$(PURE_LIBS)

unit-build: $(UNIT:%=$(B)/unit/%)
fuzz-build: $(FUZZ:%=$(B)/fuzz/%)

# Under sudo the build runs as the invoking user: nothing root-owned stays in the tree.
AS_USER := $(if $(SUDO_USER),setpriv --reuid=$(SUDO_USER) --regid=$(SUDO_GID) --init-groups --,)

check:
	$(Q)tests/lib/deps.sh build
	$(Q)tests/lib/deps.sh test
	$(Q)$(AS_USER) $(MAKE) --no-print-directory all unit-build fuzz-build
	$(Q)FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run.sh

# The scripts of tests/e2e that say "# long:": soaks and proofs of many minutes.
check-long:
	$(Q)tests/lib/deps.sh build
	$(Q)tests/lib/deps.sh long
	$(Q)tests/lib/deps.sh arm64
	$(Q)$(AS_USER) $(MAKE) --no-print-directory all
	$(Q)tests/run.sh long

demo:
	$(Q)tests/lib/deps.sh build
	$(Q)tests/lib/deps.sh test
	$(Q)$(AS_USER) $(MAKE) --no-print-directory all
	$(Q)tests/demo.sh

lint:
	$(Q)tests/lint.sh

bench: all $(B)/bench/load $(B)/bench/empty $(B)/bench/hooks
	$(Q)tests/bench/bench.sh

$(B)/bench/load: tests/bench/load.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $<

$(B)/bench/empty: tests/bench/empty.c $(B)/uprobe.o $(PURE_OBJ)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDLIBS)

$(B)/bench/hooks: tests/bench/hooks.c $(filter-out $(B)/main.o,$(LIVE_OBJ)) $(PURE_OBJ)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDLIBS)

# The daemon under load for ten minutes; SOAK=3600 for an hour.
soak: all
	$(Q)SOAK=$${SOAK:-600} tests/e2e/soak.sh

# Breaks one line of a detector at a time; MUTATE=word: only of files so called.
mutants: $(B)/flags
	$(Q)CC='$(CC)' python3 tests/lib/mutate.py '$(ALL_CFLAGS)' '$(PURE_SRC)' '$(PURE_LIBS)'

# The corpora of tests/e2e/corpus.sh alone.
corpus: all
	$(Q)tests/e2e/corpus.sh

vm-smoke:
	$(Q)tests/vm/smoke.sh

# Level 1 on Debian's stock kernels in qemu; `make check` has some of them. VM_KERNELS="5.10 6.1" for fewer.
vmtest:
	$(Q)tests/vm/vmtest.sh $(VM_KERNELS)

# The same on arm64's kernels, cross built, and there also Debian's CPython and a program of Go: all of it comes by apt, what is
# not for this machine into build/ alone.
vmtest-arm64:
	$(Q)tests/lib/deps.sh build
	$(Q)tests/lib/deps.sh arm64
	$(Q)ARCH=arm64 tests/vm/vmtest.sh $(or $(VM_KERNELS),6.1 6.12)

# Level 2: the Docker workload with a real dockerd on 6.1, 6.12 and the newest; part of `make check-long`.
vmtest-level2:
	$(Q)tests/vm/level2.sh $(VM_KERNELS)

# Source lines on 6.1, of every CPython of this machine; `make check` has Debian's own.
vm-lines: vm-smoke
	$(Q)PYTHONS=all tests/vm/lines.sh

# Writes what the verifiers of all kernels walk now into tests/verified.tsv, and how each hook is covered into tests/vm.
verified: all
	$(Q)UPDATE=--update tests/vm/vmtest.sh host $(or $(VM_KERNELS),6.1 6.12 6.18 newest)

# Makes the committed recordings anew, after a change of the event ABI.
recordings: all
	$(Q)tests/replay/record.sh tests/replay

# From the catalogue itself; a cross build needs something that runs what it made: EMULATOR=qemu-aarch64-static.
$(B)/invigil-risks.7: $(B)/invigil
	$(Q)$(EMULATOR) $< risks --format mdoc >$@

manuals: $(B)/invigil-risks.7

install: all manuals
	install -D -m 0755 $(B)/invigil $(DESTDIR)$(prefix)/sbin/invigil
	for page in docs/*.[578] $(B)/invigil-risks.7; do \
		install -D -m 0644 $$page $(DESTDIR)$(prefix)/share/man/man$${page##*.}/$${page##*/} || exit; \
	done

clean:
	rm -rf $(B)

-include $(wildcard $(B)/*.d $(B)/*/*.d $(B)/*/*/*.d)

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all always soak check check-long demo lint bench mutants corpus vm-smoke vm-lines vmtest vmtest-arm64 vmtest-level2 verified recordings install clean unit-build fuzz-build manuals
