/**
 * Between the structures of messages and the core's values: what a client says becomes a spec, and a State or Policy
 * becomes a message.
 */
package org.xfrmbridge.netlink.map;
