package org.xfrmbridge.it.conformance;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.xfrmbridge.it.conformance.PfkeyText.Extension;
import org.xfrmbridge.netlink.text.VolatileField;
import org.xfrmbridge.pfkey.msg.SadbXIpsecrequest;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbMsg;
import org.xfrmbridge.pfkey.sadb.SadbType;

/**
 * A field of a PF_KEY extension that two kernels of one version would fill differently; {@link VolatileField.Kind} says
 * why. All else must be equal.
 *
 * @param offsetBytes from the beginning of the extension, its header included
 */
record PfkeyVolatileField(SadbExt extension, int offsetBytes, VolatileField.Kind kind) {
    private static final int POLICY_BYTES = 16;
    private static final int REQID_OFFSET = 8;

    static final List<PfkeyVolatileField> ALL = List.of(
            new PfkeyVolatileField(SadbExt.SA, 4, VolatileField.Kind.SPI),
            new PfkeyVolatileField(SadbExt.LIFETIME_CURRENT, 16, VolatileField.Kind.TIME),
            new PfkeyVolatileField(SadbExt.LIFETIME_CURRENT, 24, VolatileField.Kind.TIME),
            new PfkeyVolatileField(SadbExt.X_POLICY, 8, VolatileField.Kind.INDEX),
            new PfkeyVolatileField(SadbExt.ADDRESS_SRC, 36, VolatileField.Kind.MEMORY),
            new PfkeyVolatileField(SadbExt.ADDRESS_DST, 36, VolatileField.Kind.MEMORY));

    /** Blanks the volatile fields of an extension. */
    static void maskAll(Extension extension) {
        for (PfkeyVolatileField field : ALL) {
            if (field.extension.number() == extension.number()) {
                mask(extension, field.offsetBytes, field.kind);
            }
        }
        if (extension.number() == SadbExt.X_POLICY.number()) {
            maskRequests(extension);
        }
    }

    /** The reqids of all transforms of a policy. */
    private static void maskRequests(Extension policy) {
        int at = POLICY_BYTES;
        while (at + SadbXIpsecrequest.BYTES <= policy.bytes().length) {
            mask(policy, at + REQID_OFFSET, VolatileField.Kind.REQID);
            at += Math.max(
                    SadbXIpsecrequest.BYTES, Short.toUnsignedInt(policy.view().getShort(at)));
        }
    }

    private static void mask(Extension extension, int offset, VolatileField.Kind kind) {
        int bytes = kind == VolatileField.Kind.TIME ? Long.BYTES : Integer.BYTES;
        if (extension.bytes().length >= offset + bytes) {
            ByteBuffer field = ByteBuffer.wrap(extension.bytes(), offset, extension.bytes().length - offset);
            kind.mask(field.slice().order(ByteOrder.nativeOrder()));
        }
    }

    /** The header's number, 0 for that of an ACQUIRE: {@link VolatileField.Kind#COUNTER}. */
    static int sequence(SadbMsg header) {
        return header.type() == SadbType.ACQUIRE && header.pid() == 0 ? 0 : header.sequence();
    }
}
