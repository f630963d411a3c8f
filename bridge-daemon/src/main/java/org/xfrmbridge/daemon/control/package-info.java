/**
 * The control thread: clients of the three unix sockets, the kernel's routing events, the datapath's events, timers.
 */
package org.xfrmbridge.daemon.control;
