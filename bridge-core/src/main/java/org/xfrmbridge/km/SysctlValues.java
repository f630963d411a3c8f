package org.xfrmbridge.km;

import org.xfrmbridge.km.XfrmService.HashThresholds;

/** Settings of the namespace, {@code struct netns_xfrm}. Control thread only. */
final class SysctlValues {
    private int acquireExpireSeconds = 30;
    private HashThresholds ipv4Thresholds = new HashThresholds(32, 32);
    private HashThresholds ipv6Thresholds = new HashThresholds(128, 128);

    /** {@code xfrm_acq_expires}; 0 lets larval States live on. */
    int acquireExpireSeconds() {
        return acquireExpireSeconds;
    }

    void acquireExpireSeconds(int seconds) {
        acquireExpireSeconds = seconds;
    }

    HashThresholds ipv4Thresholds() {
        return ipv4Thresholds;
    }

    HashThresholds ipv6Thresholds() {
        return ipv6Thresholds;
    }

    /**
     * As {@code xfrm_set_spdinfo}: null leaves a family alone. They tune nothing here, every prefix length being looked
     * up fast.
     */
    void thresholds(HashThresholds ipv4, HashThresholds ipv6) throws XfrmException {
        requireAtMost(ipv4, 32);
        requireAtMost(ipv6, 128);
        if (ipv4 != null) {
            ipv4Thresholds = ipv4;
        }
        if (ipv6 != null) {
            ipv6Thresholds = ipv6;
        }
    }

    private static void requireAtMost(HashThresholds thresholds, int bits) throws XfrmException {
        if (thresholds != null && (thresholds.localPrefix() > bits || thresholds.remotePrefix() > bits)) {
            throw new XfrmException(Errno.EINVAL, "a hash threshold is greater than " + bits);
        }
    }
}
