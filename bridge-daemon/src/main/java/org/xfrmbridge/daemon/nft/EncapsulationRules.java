package org.xfrmbridge.daemon.nft;

import java.util.List;
import java.util.function.Supplier;
import org.xfrmbridge.daemon.nft.Rule.Comparison;
import org.xfrmbridge.daemon.nft.Rule.Header;
import org.xfrmbridge.daemon.nft.Rule.Meta;
import org.xfrmbridge.daemon.os.StackSigns;

/**
 * ESP in UDP (RFC 3948) goes to a socket of the bridge's own, whose port is put in place of the IKE daemon's, and back.
 * A datagram without a checksum must get none.
 */
final class EncapsulationRules {
    private static final int UDP = 17;
    private static final int SOURCE_AT = 0;
    private static final int DESTINATION_AT = 2;
    private static final int LENGTH_AT = 4;
    private static final int CHECKSUM_AT = 6;
    private static final int DATA_AT = 8;

    private EncapsulationRules() {}

    /** One byte 0xff. */
    static Rule keepalive(int port) {
        return isUdp(new Rule())
                .is(Header.TRANSPORT, DESTINATION_AT, Rule.networkShort(port))
                .is(Header.TRANSPORT, LENGTH_AT, Rule.networkShort(DATA_AT + 1))
                .is(Header.TRANSPORT, DATA_AT, Rule.bytes(0xff))
                .counter()
                .drop();
    }

    /** More than an ESP header, and no zeros in front, which mean IKE. */
    static List<Rule> inbound(int port, int own) {
        return forBothChecksums(
                DESTINATION_AT,
                own,
                () -> isUdp(new Rule())
                        .is(Header.TRANSPORT, DESTINATION_AT, Rule.networkShort(port))
                        .has(Header.TRANSPORT, LENGTH_AT, Comparison.MORE, Rule.networkShort(DATA_AT + 8))
                        .has(Header.TRANSPORT, DATA_AT, Comparison.UNEQUAL, new byte[4]));
    }

    static List<Rule> outbound(int port, int own) {
        return forBothChecksums(
                SOURCE_AT,
                port,
                () -> isUdp(new Rule().is(Meta.PRIORITY, Rule.nativeInt(StackSigns.BYPASS_PRIORITY)))
                        .is(Header.TRANSPORT, SOURCE_AT, Rule.networkShort(own)));
    }

    private static List<Rule> forBothChecksums(int portAt, int port, Supplier<Rule> condition) {
        Rule without = condition
                .get()
                .is(Header.TRANSPORT, CHECKSUM_AT, new byte[2])
                .counter()
                .immediate(0, Rule.networkShort(port))
                .store(Header.TRANSPORT, portAt, 2, 0)
                .accept();
        Rule with = condition
                .get()
                .counter()
                .immediate(0, Rule.networkShort(port))
                .storeSummed(Header.TRANSPORT, portAt, 2, 0, CHECKSUM_AT)
                .accept();
        return List.of(without, with);
    }

    private static Rule isUdp(Rule rule) {
        return rule.is(Meta.PROTOCOL, Rule.bytes(UDP));
    }
}
