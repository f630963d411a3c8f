package org.xfrmbridge.bench;

import java.util.List;
import org.xfrmbridge.io.HostNetwork;
import org.xfrmbridge.xfrm.Address;

/** A host's network that never changes: one address, and one next hop for all that it sends. Any thread. */
abstract class OneLink implements HostNetwork {
    static final int MTU_BYTES = 1500;

    final Address self;
    private final NextHop nextHop;

    OneLink(Address self, NextHop nextHop) {
        this.self = self;
        this.nextHop = nextHop;
    }

    @Override
    public int generation() {
        return 0;
    }

    @Override
    public List<Address> localAddresses(int family) {
        return List.of(self);
    }

    @Override
    public NextHop resolve(int family, Address source, Address destination, int mark) {
        return nextHop;
    }

    @Override
    public int linkMtuBytes() {
        return MTU_BYTES;
    }

    @Override
    public boolean isNextHop(int family, Address address) {
        return false;
    }

    @Override
    public boolean isOnSubnet(int family, Address address) {
        return true;
    }

    @Override
    public Address sourceFor(int family, Address destination) {
        return self;
    }
}
