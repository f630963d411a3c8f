/**
 * Headers on the wire: views over bytes, checksums, and what a packet is to the databases. All of it works in place.
 */
package org.xfrmbridge.net;
