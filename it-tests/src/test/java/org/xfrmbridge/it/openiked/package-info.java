/**
 * An unmodified OpenIKED, which speaks PF_KEY, on both ends of a wire, each on a bridge of its own, with a sniffer
 * between them.
 */
package org.xfrmbridge.it.openiked;
