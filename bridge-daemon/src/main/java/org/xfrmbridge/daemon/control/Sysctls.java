package org.xfrmbridge.daemon.control;

import java.util.LinkedHashMap;
import java.util.Map;
import org.xfrmbridge.km.XfrmService;

/** The files of /proc/sys/net/core that belong to XFRM, by name. Control thread only. */
final class Sysctls {
    private static final String ACQUIRE_EXPIRES = "xfrm_acq_expires";

    private final XfrmService service;
    private final Map<String, Integer> kept = new LinkedHashMap<>();

    Sysctls(XfrmService service) {
        this.service = service;
        kept.put("xfrm_aevent_etime", 10);
        kept.put("xfrm_aevent_rseqth", 2);
        kept.put("xfrm_larval_drop", 1);
    }

    /** The value, or null if there is no such file. */
    Integer get(String name) {
        return name.equals(ACQUIRE_EXPIRES) ? Integer.valueOf(service.acquireExpireSeconds()) : kept.get(name);
    }

    /** Sets it if there is one and the text is a number that fits; a kernel would have told the writer, who is gone. */
    void set(String name, String text) {
        try {
            int value = Integer.parseUnsignedInt(text.strip());
            if (name.equals(ACQUIRE_EXPIRES)) {
                service.setAcquireExpireSeconds(value);
            } else if (kept.containsKey(name)) {
                kept.put(name, value);
            }
        } catch (NumberFormatException e) {
            return;
        }
    }
}
