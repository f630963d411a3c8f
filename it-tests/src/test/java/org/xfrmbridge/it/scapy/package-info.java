/** ESP packets of Scapy, an independent implementation, exchanged with a bridge over a wire. */
package org.xfrmbridge.it.scapy;
