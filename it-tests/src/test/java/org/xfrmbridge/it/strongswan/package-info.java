/**
 * An unmodified strongSwan charon on both ends of a wire, each on a bridge of its own. Every scenario has a sniffer on
 * the wire from before the first packet to after the last.
 */
package org.xfrmbridge.it.strongswan;
