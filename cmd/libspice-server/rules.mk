# The drop-in library: a C shim, and the engine that it opens.
SHIM := cmd/libspice-server/shim
SHIM_SOURCES := $(wildcard $(SHIM)/*.c $(SHIM)/*.h $(SHIM)/*.map) cmd/libspice-server/engine.h
SHIM_FLAGS := -std=gnu17 -O2 -g -fPIC -Wall -Wextra -Werror -DSPICE_SERVER_INTERNAL
SHIM_LINK := -shared -Wl,-soname,libspice-server.so.1 -Wl,-z,defs \
	-Wl,--version-script,$(SHIM)/libspice-server.map
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib

.PHONY: libspice-server libspice-server-asan libspice-server-test install build/libspiceecs-engine.so
libspice-server: build/libspice-server.so.1 build/libspiceecs-engine.so

build/libspice-server.so.1: $(SHIM_SOURCES)
	@mkdir -p build
	$(CC) $(SHIM_FLAGS) $(CFLAGS) $$(pkg-config --cflags spice-server) $(SHIM_LINK) -o $@ $(SHIM)/*.c

# Go knows itself what has to be built again. The header it writes is not needed.
build/libspiceecs-engine.so:
	@mkdir -p build
	CGO_ENABLED=1 go build -tags libspice -buildmode=c-shared -o $@ ./cmd/libspice-server/engine
	@rm -f build/libspiceecs-engine.h

# The shim under AddressSanitizer, in a folder of its own.
libspice-server-asan: build/asan/libspice-server.so.1 build/libspiceecs-engine.so
	ln -sf ../libspiceecs-engine.so build/asan/

build/asan/libspice-server.so.1: $(SHIM_SOURCES)
	@mkdir -p build/asan
	$(CC) $(SHIM_FLAGS) -fsanitize=address -fno-omit-frame-pointer $$(pkg-config --cflags spice-server) \
		$(SHIM_LINK) -Wl,-z,undefs -o $@ $(SHIM)/*.c

libspice-server-test: libspice-server libspice-server-asan
	bash cmd/libspice-server/test/run

install: libspice-server
	install -D -m 755 build/libspice-server.so.1 $(DESTDIR)$(LIBDIR)/libspice-server.so.1
	install -D -m 644 build/libspiceecs-engine.so $(DESTDIR)$(LIBDIR)/libspiceecs-engine.so
