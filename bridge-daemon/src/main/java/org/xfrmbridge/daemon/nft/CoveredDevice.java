package org.xfrmbridge.daemon.nft;

/** An Ethernet device whose packets, selected but not routed to the TAP, are sent there when they leave by it. */
public record CoveredDevice(int index, String name) {}
