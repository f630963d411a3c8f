package org.xfrmbridge.esp;

/**
 * Whether an SA counts in 32 bits or, with {@code XFRM_STATE_ESN}, in 64 of which the high half is authenticated but
 * not sent.
 */
public enum SequenceWidth {
    SHORT,
    EXTENDED
}
