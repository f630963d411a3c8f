/** How a bridge is, on one screen: what {@code xfrm-bridge status} shows, and whether it is as it should be. */
package org.xfrmbridge.daemon.status;
