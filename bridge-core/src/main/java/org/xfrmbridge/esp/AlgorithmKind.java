package org.xfrmbridge.esp;

/** What an algorithm of the kernel's table does; each kind has its own name space ({@code net/xfrm/xfrm_algo.c}). */
public enum AlgorithmKind {
    /** Encryption and integrity in one, looked up by name and ICV length ({@code XFRMA_ALG_AEAD}). */
    AEAD,
    /** Integrity alone ({@code XFRMA_ALG_AUTH}, {@code XFRMA_ALG_AUTH_TRUNC}). */
    AUTH,
    /** Encryption alone ({@code XFRMA_ALG_CRYPT}). */
    CIPHER,
    /** IPComp ({@code XFRMA_ALG_COMP}). */
    COMPRESSION
}
