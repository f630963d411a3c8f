package org.xfrmbridge.daemon.attach;

/** How a bridge is to be attached. */
public sealed interface AttachmentPlan permits DeviceNames, StackPlan {}
