package org.xfrmbridge.netlink.map;

import java.nio.ByteBuffer;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.netlink.msg.Structs;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.SecurityContext;
import org.xfrmbridge.xfrm.StateSpec;

/** Attributes that State and Policy messages have in common. */
public final class AttributeValues {
    private static final int ALL_BITS = -1;

    private AttributeValues() {}

    public static Mark mark(Attributes attributes) {
        ByteBuffer payload = attributes.look(XfrmAttribute.MARK);
        return payload == null ? Mark.NONE : Structs.readMark(payload);
    }

    public static int ifId(Attributes attributes) {
        return attributes.getInt(XfrmAttribute.IF_ID, 0);
    }

    /** XFRMA_SET_MARK and its mask, null if absent; a mask alone means nothing. */
    static Mark outputMark(Attributes attributes) {
        return attributes.has(XfrmAttribute.SET_MARK)
                ? new Mark(
                        attributes.getInt(XfrmAttribute.SET_MARK, 0),
                        attributes.getInt(XfrmAttribute.SET_MARK_MASK, ALL_BITS))
                : null;
    }

    /** Of XFRMA_OFFLOAD_DEV, or ABSENT. */
    static int offloadFlags(Attributes attributes) {
        ByteBuffer offload = attributes.get(XfrmAttribute.OFFLOAD_DEV);
        return offload == null ? StateSpec.ABSENT : Byte.toUnsignedInt(offload.get(Integer.BYTES));
    }

    /** The address in an attribute, or null. */
    public static Address address(Attributes attributes, int type) {
        ByteBuffer payload = attributes.look(type);
        return payload == null ? null : Structs.readAddress(payload);
    }

    /**
     * Checks the two lengths in XFRMA_SEC_CTX. Nothing more is done with a label, as in a kernel without a security
     * module for it.
     */
    static void verifySecurityContext(Attributes attributes) throws XfrmException {
        ByteBuffer payload = attributes.get(XfrmAttribute.SEC_CTX);
        if (payload == null) {
            return;
        }
        int lengthBytes = Short.toUnsignedInt(payload.getShort(0));
        int labelBytes = Short.toUnsignedInt(payload.getShort(6));
        if (lengthBytes > payload.limit() || lengthBytes != Structs.SECURITY_CONTEXT_BYTES + labelBytes) {
            throw new XfrmException(Errno.EINVAL, "security context has a wrong length");
        }
    }

    static void putSecurityContext(NetlinkWriter out, SecurityContext label) {
        if (label != null) {
            out.putBytes(XfrmAttribute.SEC_CTX, label.bytes());
        }
    }

    /** The type a request names, MAIN if it names none, null if there is no such type. */
    public static PolicySpec.Type policyType(Attributes attributes) {
        return switch (attributes.getByte(XfrmAttribute.POLICY_TYPE, 0)) {
            case 0 -> PolicySpec.Type.MAIN;
            case 1 -> PolicySpec.Type.SUB;
            default -> null;
        };
    }

    /** A kernel with sub-policies always tells the type. */
    static void putPolicyType(NetlinkWriter out, PolicySpec.Type type) {
        int attribute = out.beginAttribute(XfrmAttribute.POLICY_TYPE);
        Structs.writePolicyType(out.room(XfrmAttribute.POLICY_TYPE_BYTES), type);
        out.endAttribute(attribute);
    }

    static void putMark(NetlinkWriter out, Mark mark) {
        if (!mark.isNone()) {
            int attribute = out.beginAttribute(XfrmAttribute.MARK);
            Structs.writeMark(out.room(Structs.MARK_BYTES), mark);
            out.endAttribute(attribute);
        }
    }

    static void putOutputMark(NetlinkWriter out, Mark mark) {
        if (mark != null && !mark.isNone()) {
            out.putInt(XfrmAttribute.SET_MARK, mark.value());
            out.putInt(XfrmAttribute.SET_MARK_MASK, mark.mask());
        }
    }

    static void putIfId(NetlinkWriter out, int ifId) {
        putIntUnless(out, XfrmAttribute.IF_ID, ifId, 0);
    }

    static void putIntUnless(NetlinkWriter out, int type, int value, int absent) {
        if (value != absent) {
            out.putInt(type, value);
        }
    }
}
