package org.xfrmbridge.netlink.nl;

import java.nio.ByteBuffer;
import org.xfrmbridge.km.Errno;

/**
 * What each attribute type of a protocol must look like: {@code struct nla_policy} and {@code validate_nla}. Types
 * without a rule are not checked. From {@link Builder#strictFrom} on, numbers must have their exact length; before it a
 * longer payload is taken.
 */
public final class AttributePolicy {
    private final Rule[] rules;
    private final int strictFrom;

    private AttributePolicy(Builder builder) {
        rules = builder.rules.clone();
        strictFrom = builder.strictFrom;
    }

    /** @param maxType the highest type that is known; higher ones are skipped */
    public static Builder builder(int maxType) {
        return new Builder(maxType);
    }

    public int maxType() {
        return rules.length - 1;
    }

    /**
     * @param at where the attribute is among others
     * @param offsetBytes the same in its message
     */
    void check(Attributes attributes, int at, int offsetBytes) throws NetlinkException {
        int type = attributes.typeAt(at);
        Rule rule = type < rules.length ? rules[type] : null;
        if (rule == null) {
            return;
        }
        int lengthBytes = attributes.payloadBytesAt(at);
        boolean strict = type >= strictFrom && rule.exact;
        if (strict && !rule.isFlag() && lengthBytes != rule.bytes) {
            throw new NetlinkException(Errno.EINVAL, "attribute has the wrong length", offsetBytes, rule.expectation());
        }
        if (strict && attributes.isNestedAt(at)) {
            throw new NetlinkException(
                    Errno.EINVAL, "attribute cannot hold attributes", offsetBytes, rule.expectation());
        }
        if (lengthBytes < rule.bytes || (rule.isFlag() && lengthBytes > 0)) {
            throw new NetlinkException(Errno.ERANGE, "attribute is too short", offsetBytes, rule.expectation());
        }
        if (rule.limited && !rule.admits(attributes.payloadAt(at))) {
            throw new NetlinkException(Errno.ERANGE, "attribute is out of range", offsetBytes, rule.expectation());
        }
    }

    /**
     * What would have been taken instead, for programs that find out what a kernel knows: attributes of a policy
     * attribute.
     *
     * @param type {@code NL_ATTR_TYPE_*}
     * @param min least value, unsigned; both are meaningless for a flag
     */
    public record Expectation(int type, long min, long max) {
        public static final int FLAG = 1;
    }

    /**
     * @param bytes least length, and for numbers the exact one
     * @param exact whether it is a number or a flag
     */
    private record Rule(int bytes, boolean exact, boolean limited, long min, long max) {
        boolean isFlag() {
            return exact && bytes == 0;
        }

        /** Null for a structure, of which a kernel says nothing. */
        Expectation expectation() {
            if (!exact) {
                return null;
            }
            int type = switch (bytes) {
                case 0 -> Expectation.FLAG;
                case 1 -> 2;
                case 2 -> 3;
                case 4 -> 4;
                default -> 5;
            };
            return new Expectation(type, min, limited ? max : -1L >>> (Long.SIZE - Byte.SIZE * bytes));
        }

        boolean admits(ByteBuffer payload) {
            long value = switch (bytes) {
                case 1 -> Byte.toUnsignedLong(payload.get(0));
                case 2 -> Short.toUnsignedLong(payload.getShort(0));
                default -> Integer.toUnsignedLong(payload.getInt(0));
            };
            return value >= min && value <= max;
        }
    }

    /** Collects the rules. */
    public static final class Builder {
        private final Rule[] rules;
        private int strictFrom = Integer.MAX_VALUE;

        private Builder(int maxType) {
            rules = new Rule[maxType + 1];
        }

        /** A structure of at least this many bytes. */
        public Builder atLeast(int type, int bytes) {
            rules[type] = new Rule(bytes, false, false, 0, 0);
            return this;
        }

        /** A number of 1, 2 or 4 bytes. */
        public Builder number(int type, int bytes) {
            rules[type] = new Rule(bytes, true, false, 0, 0);
            return this;
        }

        /** A number of 1, 2 or 4 bytes between {@code min} and {@code max}, both inclusive. */
        public Builder number(int type, int bytes, long min, long max) {
            rules[type] = new Rule(bytes, true, true, min, max);
            return this;
        }

        /** No payload. */
        public Builder flag(int type) {
            return number(type, 0);
        }

        /** The first type whose numbers must have their exact length. */
        public Builder strictFrom(int type) {
            strictFrom = type;
            return this;
        }

        public AttributePolicy build() {
            return new AttributePolicy(this);
        }
    }
}
