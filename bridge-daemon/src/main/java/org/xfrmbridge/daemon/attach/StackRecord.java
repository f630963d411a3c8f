package org.xfrmbridge.daemon.attach;

import java.util.Properties;
import org.xfrmbridge.daemon.nft.StackNames;

/** What standing in the host's stack added to it: all of that has names of the bridge's own. */
record StackRecord(NamespaceId namespaceId, StackNames names) implements AttachmentRecord {
    private static final String MARK_BIT = "mark-bit";

    /** Whether lines are of this kind. */
    static boolean isIn(Properties lines) {
        return lines.containsKey(MARK_BIT);
    }

    static StackRecord of(NamespaceId namespaceId, Properties lines) {
        return new StackRecord(
                namespaceId,
                new StackNames(lines.getProperty("tap"), Integer.parseUnsignedInt(lines.getProperty(MARK_BIT), 16)));
    }

    @Override
    public String label() {
        return "the host's stack";
    }

    @Override
    public void describe(StringBuilder out) {
        AttachmentRecord.line(out, "tap", names.tap());
        AttachmentRecord.line(out, MARK_BIT, Integer.toHexString(names.markBit()));
    }
}
