/**
 * What the scenarios are made of: namespaces and the wires between them, the programs that run on them, the sniffer
 * that watches the wire, and the kernels that say what is right.
 *
 * <p>A scenario owns one {@link org.xfrmbridge.it.harness.Scene}; everything it starts is registered there and ended
 * with it, in reverse order, also when the scenario fails half way or the JVM is interrupted.
 */
package org.xfrmbridge.it.harness;
