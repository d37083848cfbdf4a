package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const influxConfig = `reporting-disabled = true
bind-address = %q
[meta]
  dir = %q
[data]
  dir = %q
  wal-dir = %q
  query-log-enabled = false
[http]
  bind-address = %q
  flux-enabled = true
  log-enabled = false
[logging]
  level = "warn"
`

// startInflux starts an influxd on loopback with its data in dir, and returns
// its address and how to stop it.
func startInflux(ctx context.Context, binary, dir string) (url string, stop func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, fmt.Errorf("make InfluxDB's directory: %w", err)
	}
	api, err := freePort()
	if err != nil {
		return "", nil, err
	}
	rpc, err := freePort()
	if err != nil {
		return "", nil, err
	}
	sub := func(name string) string { return filepath.Join(dir, name) }
	config := fmt.Sprintf(influxConfig, rpc, sub("meta"), sub("data"), sub("wal"), api)
	if err := os.WriteFile(sub("influxdb.conf"), []byte(config), 0o600); err != nil {
		return "", nil, fmt.Errorf("write InfluxDB's configuration: %w", err)
	}
	logFile, err := os.Create(sub("influxd.log"))
	if err != nil {
		return "", nil, err
	}
	cmd := exec.Command(binary, "-config", sub("influxdb.conf"))
	cmd.Stdout, cmd.Stderr = logFile, logFile
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C reaches the demo, which stops it in order
	if err := cmd.Start(); err != nil {
		return "", nil, errors.Join(fmt.Errorf("start InfluxDB: %w", err), logFile.Close())
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); _ = logFile.Close(); close(exited) }()
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			<-exited
		}
	}
	url = "http://" + api
	if err := answers(ctx, url+"/ping", exited); err != nil {
		stop()
		return "", nil, fmt.Errorf("start InfluxDB (see %s): %w", logFile.Name(), err)
	}
	return url, stop, nil
}

// answers waits until a server does.
func answers(ctx context.Context, url string, exited <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if resp, err := http.Get(url); err == nil {
			_ = resp.Body.Close()
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-exited:
			return errors.New("it ended by itself")
		case <-tick.C:
		}
	}
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}
