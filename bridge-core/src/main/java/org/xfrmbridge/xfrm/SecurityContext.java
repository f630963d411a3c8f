package org.xfrmbridge.xfrm;

import java.util.Arrays;

/**
 * A label of a Policy, {@code struct xfrm_user_sec_ctx} and what follows it. Policies with different ones are
 * different.
 *
 * @param bytes as they came; neither kept nor changed by who made it
 */
public record SecurityContext(byte[] bytes) {
    @Override
    public boolean equals(Object other) {
        return other instanceof SecurityContext that && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }
}
