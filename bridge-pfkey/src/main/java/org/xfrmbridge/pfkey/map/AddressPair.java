package org.xfrmbridge.pfkey.map;

import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.pfkey.msg.SadbAddress;
import org.xfrmbridge.pfkey.sadb.Extensions;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Selector;

/** The two addresses that most requests have. */
public record AddressPair(SadbAddress source, SadbAddress destination) {
    private static final int WHOLE_PORT = 0xffff;

    /** {@code present_and_same_family}. @throws XfrmException EINVAL */
    public static AddressPair read(Extensions extensions) throws XfrmException {
        AddressPair pair = new AddressPair(
                SadbAddress.read(extensions.require(SadbExt.ADDRESS_SRC)),
                SadbAddress.read(extensions.require(SadbExt.ADDRESS_DST)));
        if (pair.source.sockaddr().family() != pair.destination.sockaddr().family()) {
            throw new XfrmException(Errno.EINVAL);
        }
        return pair;
    }

    public int family() {
        return source.sockaddr().family();
    }

    public Address saddr() {
        return source.sockaddr().address();
    }

    public Address daddr() {
        return destination.sockaddr().address();
    }

    /** Of a Policy: of the two protocols the destination's counts. */
    Selector selector() {
        int sport = source.sockaddr().port();
        int dport = destination.sockaddr().port();
        return Selector.of(family())
                .saddr(saddr(), source.prefixlen())
                .daddr(daddr(), destination.prefixlen())
                .sport(sport, mask(sport))
                .dport(dport, mask(dport))
                .protocol(Protocols.toSelector(destination.proto()))
                .build();
    }

    private static int mask(int port) {
        return port == 0 ? 0 : WHOLE_PORT;
    }

    /** How many bits an address by itself has. */
    static int bits(int family) {
        return AddressFamily.bits(family);
    }
}
