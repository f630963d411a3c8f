/** {@code xfrm-bridge demo}: two hosts, a bridge on each, and proof that traffic between them is protected. */
package org.xfrmbridge.demo;
