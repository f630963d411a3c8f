/**
 * nftables and the queue for packets, by nfnetlink alone: what the bridge has in the host's stack. Rules, sets and
 * chains are written as {@code nft list} shows them.
 */
package org.xfrmbridge.daemon.nft;
