/**
 * The kernel's end of PF_KEY sockets: requests in, answers and events out. Knows no socket; one thread, the control
 * thread.
 */
package org.xfrmbridge.pfkey.server;
