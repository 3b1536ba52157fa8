// Package measure has only benchmarks: what a call of the program costs beside servers that others made (make compare),
// and what 10,000 people make of one instance (make people). The program runs as a process of its own, on a processor
// of its own where there are two, and is asked over HTTP. It knows nothing of what the program does inside.
package measure
