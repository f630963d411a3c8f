/** The way of a packet: from the host outward, from the network inward, and what it is counted as. */
package org.xfrmbridge.datapath;
