/** The kernel's end of PF_KEY sockets, without the sockets: requests in, answers and events out. */
package org.xfrmbridge.pfkey.server;
