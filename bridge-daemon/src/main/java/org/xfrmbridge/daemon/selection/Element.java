package org.xfrmbridge.daemon.selection;

import org.xfrmbridge.xfrm.Address;

/**
 * One element of a level's set. Already masked: fields that the level does not have are 0.
 *
 * @param saddr in the layout of {@link Address}
 * @param daddr the same
 * @param protocol upper protocol
 * @param sport in host order
 * @param dport in host order
 * @param mark bits of the packet's mark under the level's mask
 */
public record Element(Level level, Address saddr, Address daddr, int protocol, int sport, int dport, int mark) {}
