include cmd/libspice-server/rules.mk
