package org.xfrmbridge.datapath;

/**
 * Why a packet was dropped: the counters of {@code /proc/net/xfrm_stat} in the order of Linux 6.18
 * (net/xfrm/xfrm_proc.c, Documentation/networking/xfrm_proc.rst), and one that no kernel has. Every drop has exactly
 * one.
 */
public enum DropReason {
    IN_ERROR("InError"),
    IN_BUFFER_ERROR("InBufferError"),
    IN_HDR_ERROR("InHdrError"),
    IN_NO_STATES("InNoStates"),
    IN_STATE_PROTO_ERROR("InStateProtoError"),
    IN_STATE_MODE_ERROR("InStateModeError"),
    IN_STATE_SEQ_ERROR("InStateSeqError"),
    IN_STATE_EXPIRED("InStateExpired"),
    IN_STATE_MISMATCH("InStateMismatch"),
    IN_STATE_INVALID("InStateInvalid"),
    IN_TMPL_MISMATCH("InTmplMismatch"),
    IN_NO_POLS("InNoPols"),
    IN_POL_BLOCK("InPolBlock"),
    IN_POL_ERROR("InPolError"),
    OUT_ERROR("OutError"),
    OUT_BUNDLE_GEN_ERROR("OutBundleGenError"),
    OUT_BUNDLE_CHECK_ERROR("OutBundleCheckError"),
    OUT_NO_STATES("OutNoStates"),
    OUT_STATE_PROTO_ERROR("OutStateProtoError"),
    OUT_STATE_MODE_ERROR("OutStateModeError"),
    OUT_STATE_SEQ_ERROR("OutStateSeqError"),
    OUT_STATE_EXPIRED("OutStateExpired"),
    OUT_POL_BLOCK("OutPolBlock"),
    OUT_POL_DEAD("OutPolDead"),
    OUT_POL_ERROR("OutPolError"),
    FWD_HDR_ERROR("FwdHdrError"),
    OUT_STATE_INVALID("OutStateInvalid"),
    ACQUIRE_ERROR("AcquireError"),
    OUT_STATE_DIR_ERROR("OutStateDirError"),
    IN_STATE_DIR_ERROR("InStateDirError"),
    IN_IPTFS_ERROR("InIptfsError"),
    OUT_NO_QUEUE_SPACE("OutNoQueueSpace"),
    /** This program failed, not the packet: a fault, no memory, no stack. Also where frames are read and sent. */
    FAULT("Fault", false);

    static final DropReason[] ALL = values();

    private final String label;
    private final boolean inXfrmStat;

    DropReason(String label) {
        this(label, true);
    }

    DropReason(String label, boolean inXfrmStat) {
        this.label = label;
        this.inXfrmStat = inXfrmStat;
    }

    /** The kernel's name without its prefix. */
    public String label() {
        return label;
    }

    /** Whether a kernel counts it, and clients know it. */
    public boolean isInXfrmStat() {
        return inXfrmStat;
    }
}
