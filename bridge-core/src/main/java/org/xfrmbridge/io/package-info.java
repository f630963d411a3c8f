/** Frames and the ports they travel between; what the datapath asks of its host. */
package org.xfrmbridge.io;
