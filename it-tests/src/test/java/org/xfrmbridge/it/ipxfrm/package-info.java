/**
 * {@code ip xfrm} against the bridge and against real kernels, line by line.
 *
 * <p>The resources {@code NAME.commands} are lists of shell commands; {@code NAME.transcript} is what a real kernel
 * printed for them. One test runs the commands on a kernel, where there is one, and fails if the transcript is no
 * longer true; another runs them on the bridge. A machine without such a kernel still compares the bridge with what was
 * recorded. {@code -Dit.record} writes new transcripts into the source tree instead of comparing with a kernel.
 */
package org.xfrmbridge.it.ipxfrm;
