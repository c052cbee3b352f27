// Package interop holds the tests that run the engine against programs that
// others wrote: the reference client library looks at our server, and our
// client looks at the reference server.
//
// They need the programs of bench/peer. SPICEECS_REALCLIENT and
// SPICEECS_VMMDRIVE name them; where a variable is not set the tests build the
// program, and are skipped if its libraries are missing (with CI set they fail
// instead). Rows of testdata/traces/expected.tsv are played for the recordings
// that are in the repository, or for all with SPICEECS_TRACES=DIR, the folder
// that holds them. With SPICEECS_MATRIX=1 every row is played with every setting
// of the codecs, which takes the better part of an hour, instead of with those
// that differ.
package interop
