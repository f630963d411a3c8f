/**
 * {@code xfrm-bridge demo}: two hosts on this machine, a bridge on each, and proof that the traffic between them is
 * protected. One thread does it all; whatever it makes, it takes away again.
 */
package org.xfrmbridge.demo;
