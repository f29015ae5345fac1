// A service that answers 200 to whatever it is asked: the smallest image that can be started and be healthy.
// Only system calls, so that it compiles in seconds for any architecture.
package main

import (
	"os"
	"strconv"
	"syscall"
)

func main() {
	port, err := strconv.Atoi(os.Getenv("PORT"))
	if err != nil {
		port = 8000
	}
	address := &syscall.SockaddrInet4{Port: port}
	if os.Getenv("HOST") == "127.0.0.1" || len(os.Args) > 1 {
		address.Addr = [4]byte{127, 0, 0, 1}
	}
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	check(err)
	if len(os.Args) > 1 { // healthcheck
		check(syscall.Connect(socket, address))
		return
	}
	check(syscall.Bind(socket, address))
	check(syscall.Listen(socket, 16))
	println("listening as user", os.Getuid())
	for {
		connection, _, err := syscall.Accept(socket)
		check(err)
		syscall.Read(connection, make([]byte, 4096))
		syscall.Write(connection, []byte("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"))
		syscall.Close(connection)
	}
}

func check(err error) {
	if err != nil {
		println(err.Error())
		os.Exit(3)
	}
}
