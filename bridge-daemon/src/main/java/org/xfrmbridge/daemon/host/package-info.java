/** What the datapath asks of the host, answered by the real kernel's tables. */
package org.xfrmbridge.daemon.host;
