package org.xfrmbridge.daemon.attach;

/** In front of an interface. */
public record WirePlan(DeviceNames names, boolean offload) implements AttachmentPlan {}
