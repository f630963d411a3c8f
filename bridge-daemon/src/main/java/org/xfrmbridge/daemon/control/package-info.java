/** The control thread: clients of the unix sockets, events of the kernel and the datapath, timers. */
package org.xfrmbridge.daemon.control;
