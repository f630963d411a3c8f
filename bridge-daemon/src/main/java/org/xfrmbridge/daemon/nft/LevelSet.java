package org.xfrmbridge.daemon.nft;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.xfrmbridge.daemon.nft.Rule.Header;
import org.xfrmbridge.daemon.nft.Rule.Meta;
import org.xfrmbridge.daemon.nft.SetKey.Field;
import org.xfrmbridge.daemon.selection.Element;
import org.xfrmbridge.daemon.selection.Level;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;

/** The set of a level: its name, its key, and how a rule looks a packet up in it. */
final class LevelSet {
    private static final int MOST_KEY_BYTES = 64;
    private static final int MARK_BYTES = 4;
    private static final int SOURCE_PORT_AT = 0;
    private static final int DESTINATION_PORT_AT = 2;
    private static final int PORT_BYTES = 2;

    private LevelSet() {}

    /** Says which fields it has: {@code out-ip-24-16-protocol-dport}. */
    static String name(Level level) {
        StringBuilder name = new StringBuilder(level.direction().name().toLowerCase(Locale.ROOT));
        name.append(level.family() == AddressFamily.INET ? "-ip-" : "-ip6-");
        name.append(level.saddrBits()).append('-').append(level.daddrBits());
        name.append(level.protocol() ? "-protocol" : "");
        name.append(level.sport() ? "-sport" : "").append(level.dport() ? "-dport" : "");
        if (level.markMask() != 0) {
            name.append("-mark-").append(Integer.toHexString(level.markMask()));
        }
        return name.toString();
    }

    static SetKey key(Level level) {
        List<Field> fields = new ArrayList<>();
        Field address = level.family() == AddressFamily.INET ? Field.IPV4 : Field.IPV6;
        addIf(level.saddrBits() > 0, address, fields);
        addIf(level.daddrBits() > 0, address, fields);
        addIf(level.protocol(), Field.PROTOCOL, fields);
        addIf(hasAll(level), Field.BOTH_PORTS, fields);
        addIf(level.sport() && !hasAll(level), Field.PORT, fields);
        addIf(level.dport() && !hasAll(level), Field.PORT, fields);
        addIf(level.markMask() != 0, Field.MARK, fields);
        return new SetKey(fields);
    }

    private static boolean hasAll(Level level) {
        return level.saddrBits() > 0
                && level.daddrBits() > 0
                && level.protocol()
                && level.sport()
                && level.dport()
                && level.markMask() != 0;
    }

    private static void addIf(boolean wanted, Field field, List<Field> fields) {
        if (wanted) {
            fields.add(field);
        }
    }

    static byte[] key(Element element) {
        Level level = element.level();
        // A field alone is as short as it is; among others each takes a register.
        ByteBuffer key = ByteBuffer.allocate(MOST_KEY_BYTES).order(ByteOrder.BIG_ENDIAN);
        putAddress(key, element.saddr(), level.saddrBits(), level.family());
        putAddress(key, element.daddr(), level.daddrBits(), level.family());
        if (level.protocol()) {
            key.putInt(element.protocol() << 24);
        }
        if (hasAll(level)) {
            key.putInt(element.sport() << 16 | element.dport());
        } else {
            putPort(key, level.sport(), element.sport());
            putPort(key, level.dport(), element.dport());
        }
        if (level.markMask() != 0) {
            key.put(Rule.nativeInt(element.mark()));
        }
        byte[] bytes = new byte[key(level).bytes()];
        key.get(0, bytes);
        return bytes;
    }

    private static void putPort(ByteBuffer key, boolean wanted, int port) {
        if (wanted) {
            key.putInt(port << 16);
        }
    }

    private static void putAddress(ByteBuffer key, Address address, int bits, int family) {
        if (bits > 0 && family == AddressFamily.INET) {
            key.putInt(address.ipv4());
        } else if (bits > 0) {
            key.putLong(address.high()).putLong(address.low());
        }
    }

    /** Holds for a packet that the set has. The family is asked so that {@code nft} knows the fields' names. */
    static Rule lookUp(Level level, Rule rule) {
        boolean isIpv4 = level.family() == AddressFamily.INET;
        int bytes = isIpv4 ? 4 : 16;
        rule.is(Meta.FAMILY, Rule.bytes(level.family()));
        int register = loadAddress(rule, isIpv4 ? 12 : 8, bytes, level.saddrBits(), 0);
        register = loadAddress(rule, isIpv4 ? 16 : 24, bytes, level.daddrBits(), register);
        if (level.protocol()) {
            rule.load(Meta.PROTOCOL, register++);
        }
        if (hasAll(level)) {
            rule.load(Header.TRANSPORT, SOURCE_PORT_AT, 2 * PORT_BYTES, register++);
        } else if (level.sport()) {
            rule.load(Header.TRANSPORT, SOURCE_PORT_AT, PORT_BYTES, register++);
        }
        if (level.dport() && !hasAll(level)) {
            rule.load(Header.TRANSPORT, DESTINATION_PORT_AT, PORT_BYTES, register++);
        }
        if (level.markMask() != 0) {
            rule.load(Meta.MARK, register).mask(register, Rule.nativeInt(level.markMask()), new byte[MARK_BYTES]);
        }
        return rule.lookup(name(level), 0);
    }

    /** @return the next free register */
    private static int loadAddress(Rule rule, int offset, int bytes, int bits, int register) {
        if (bits == 0) {
            return register;
        }
        rule.load(Header.NETWORK, offset, bytes, register);
        if (bits < 8 * bytes) {
            rule.mask(register, prefix(bytes, bits), new byte[bytes]);
        }
        return register + bytes / 4;
    }

    private static byte[] prefix(int bytes, int bits) {
        byte[] mask = new byte[bytes];
        for (int bit = 0; bit < bits; bit++) {
            mask[bit / 8] |= (byte) (0x80 >> bit % 8);
        }
        return mask;
    }
}
