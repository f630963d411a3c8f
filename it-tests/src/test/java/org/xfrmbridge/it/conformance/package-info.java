/**
 * The bridge against real kernels, byte for byte.
 *
 * <p>A {@link org.xfrmbridge.it.conformance.SequenceGenerator} makes sequences of requests from a seed;
 * {@code replay.c} sends them to a kernel and records what came back,
 * {@link org.xfrmbridge.it.conformance.BridgeReplay} sends the same bytes to the bridge's sessions, and a
 * {@link org.xfrmbridge.it.conformance.Comparison} finds what differs.
 * {@link org.xfrmbridge.netlink.text.VolatileField} lists what two runs cannot share,
 * {@link org.xfrmbridge.it.conformance.KnownDifference} what differs on purpose; each entry has its reason.
 * docs/conformance.md says how to run it.
 */
package org.xfrmbridge.it.conformance;
