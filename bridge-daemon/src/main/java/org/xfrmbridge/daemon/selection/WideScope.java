package org.xfrmbridge.daemon.selection;

import org.xfrmbridge.xfrm.Direction;

/**
 * Where all packets are selected without a look at the sets.
 *
 * @param family {@link org.xfrmbridge.xfrm.AddressFamily#INET} or INET6
 */
public record WideScope(Direction direction, int family) {}
